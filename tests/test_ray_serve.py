"""A real model, served by a real Ray Serve on a cluster of four simulated nodes: asked, broken, drained."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from sizeup.engines.llamacpp.server import free_port
from tests.ray_running import Running, cluster
from tests.small_model import small_model

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("ray", "openai", "xllamacpp"))), reason="Ray, xllamacpp or openai is not here: make test-ray"
    ),
]

REPLICAS = 3
MESSAGES: Any = [{"role": "user", "content": "Count from one to fifty."}]


def program(running: Running, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sizeup", "fleet", *args, "--ray", running.address, "--json"]
    return subprocess.run(command, env=running.environment, capture_output=True, text=True, check=False, timeout=400)


def sizeup(running: Running, *args: str) -> Any:
    """What the program says as JSON, in a process of its own as a user has it."""
    said = program(running, *args)
    assert (said.returncode, said.stderr) == (0, "")
    return json.loads(said.stdout)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with cluster() as found:
        yield found


@pytest.fixture(scope="module")
def model() -> str:
    return str(small_model())


@pytest.fixture(scope="module")
def up(running: Running, model: str) -> Any:
    port = free_port(0, False)
    asked = ("--replicas", str(REPLICAS), "--cores", "1", "--context", "2048", "--port", str(port), "--timeout", "300", "--name", "small")
    return sizeup(running, "up", model, *asked)


@pytest.fixture(scope="module")
def client(up: Any) -> Iterator[Any]:
    """The usual client, which tries again after a broken answer as it does for everybody; nothing listens beyond loopback."""
    import openai

    with openai.OpenAI(base_url=f"{up['address'].rstrip('/')}/v1", api_key="none", max_retries=5, timeout=300) as found:
        yield found


def engines(running: Running) -> list[psutil.Process]:
    return [process for process in running.processes() if "sizeup.engines.llamacpp.server_child" in process.cmdline()]


def replicas(running: Running) -> list[psutil.Process]:
    return [process for process in running.processes() if any("ServeReplica:sizeup-small" in word for word in process.cmdline())]


def until(met: Any, seconds: float = 200) -> None:
    """Wait for what is to come by itself."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end
        time.sleep(0.5)


def test_no_room_is_refused_at_once(running: Running, model: str) -> None:
    """Ray would wait for processors for ever; here the answer names what binds, and what fits."""
    said = program(running, "up", model, "--replicas", "99", "--cores", "2", "--timeout", "300")
    told = json.loads(said.stdout)["error"]
    assert said.returncode == 2
    assert ("room for 8, and processors bind" in told["message"], told["try"]) == (True, "--replicas 8")


def test_it_is_up(running: Running, up: Any) -> None:
    """As many replicas as were asked for run, each with the resources of its plan, and `status` tells the same."""
    assert (up["name"], up["state"], up["replicas"], up["warnings"]) == ("sizeup-small", "RUNNING", {"RUNNING": REPLICAS}, [])
    assert (up["cores"], len(engines(running))) == (1, REPLICAS)
    told = sizeup(running, "status")
    assert [{key: one[key] for key in ("name", "address", "replicas")} for one in told] == [
        {"name": "sizeup-small", "address": up["address"], "replicas": {"RUNNING": REPLICAS}}
    ]


def test_a_replica_takes_no_more_than_it_asked_for(running: Running, up: Any, client: Any) -> None:
    """Ray's process and the engine's together stay within the memory that the plan asked Ray for."""
    client.chat.completions.create(model="small", messages=MESSAGES, max_tokens=8)
    held = [process.memory_info().rss + sum(child.memory_info().rss for child in process.children()) for process in replicas(running)]
    assert (len(held), max(held) <= up["memory_bytes"]) == (REPLICAS, True)


def test_an_openai_client_is_answered(client: Any) -> None:
    """Models, an answer, and the same answer in pieces."""
    assert [one.id for one in client.models.list().data] == ["small"]
    asked: dict[str, Any] = {"model": "small", "messages": MESSAGES, "max_tokens": 12, "temperature": 0, "seed": 1}
    whole = client.chat.completions.create(**asked).choices[0].message.content
    pieces = [piece.choices[0].delta.content or "" for piece in client.chat.completions.create(stream=True, **asked) if piece.choices]
    assert (bool(whole), len(pieces) > 2, "".join(pieces)) == (True, True, whole)


def test_only_what_is_offered_is_answered(up: Any, client: Any) -> None:
    """The engine's own pages are not shown to whoever asks."""
    import urllib.error
    import urllib.request

    assert urllib.request.urlopen(up["address"] + "health", timeout=60).status == 200
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(up["address"] + "slots", timeout=60)
    assert refused.value.code == 404


# The client drops a connection that was broken without closing it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", ["replica", "engine"])
def test_a_killed_replica_fails_no_request(running: Running, client: Any, kind: str) -> None:
    """While a replica, or the engine in it, is killed, every request is answered after the client's retries; Ray brings it back."""
    answers: list[str] = []

    def ask() -> None:
        for _ in range(4):
            answers.append(str(client.chat.completions.create(model="small", messages=MESSAGES, max_tokens=16).choices[0].finish_reason))

    before = {process.pid for process in engines(running)}
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    os.kill((replicas if kind == "replica" else engines)(running)[0].pid, signal.SIGKILL)
    for thread in threads:
        thread.join()
    assert len(answers) == 12
    until(lambda: len({process.pid for process in engines(running)} - before) == 1 and len(engines(running)) == REPLICAS)
    until(lambda: sizeup(running, "status")[0]["replicas"] == {"RUNNING": REPLICAS})


def test_down_lets_answers_end(running: Running, client: Any) -> None:
    """An answer that is being written comes whole; then nothing of it is left, and nothing else is served, so that Serve ends too."""
    pieces: list[str] = []
    begun = threading.Event()

    def ask() -> None:
        asked: Any = client.with_options(max_retries=0)
        for piece in asked.chat.completions.create(model="small", messages=MESSAGES, max_tokens=200, stream=True, temperature=0):
            if piece.choices:
                pieces.append(str(piece.choices[0].finish_reason or ""))
                begun.set()

    thread = threading.Thread(target=ask)
    thread.start()
    assert begun.wait(120)
    ended = sizeup(running, "down")
    thread.join()
    assert (ended["name"], pieces[-1] in ("length", "stop")) == ("sizeup-small", True)
    until(lambda: not engines(running))
    assert sizeup(running, "status") == []
    assert program(running, "down").returncode == 4
