"""A checkpoint served by a real vLLM under a real Ray Serve LLM, on declared cards of a simulated node: its CPU build computes.

Some 5 GB of packages, so that neither CI nor `make test-ray` has them: docs/fleet.md says how it is run.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sizeup.engines.llamacpp.server import free_port
from tests import declared_card
from tests.ray_running import Running, cluster
from tests.test_ray_serve import program, sizeup
from tests.words_model import with_weights

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("ray", "openai", "vllm"))), reason="vLLM is not beside Ray here: docs/fleet.md, On cards"
    ),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    record = tmp_path_factory.mktemp("record")
    declared_card.install(record)
    with cluster({"VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}, str(record)) as found:
        yield found


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    folder = str(with_weights(tmp_path_factory.mktemp("words")))
    return (folder, "--context", "512", "--cards", "H100", "--name", "words", "--port", str(free_port(0, False)), "--timeout", "300")


def test_it_answers_and_ends(running: Running, asked: tuple[str, ...]) -> None:
    """An OpenAI client is answered, whole and in pieces alike; `status` knows it; a second of its name is refused; `down` leaves nothing."""
    import openai

    up = sizeup(running, "up", *asked)
    assert (up["name"], up["model"], up["replicas"]) == ("sizeup-words", "words", {"RUNNING": 1})
    with openai.OpenAI(base_url=f"{up['address'].rstrip('/')}/v1", api_key="none", timeout=300) as client:
        assert [one.id for one in client.models.list().data] == ["words"]
        said: Any = {"model": "words", "messages": [{"role": "user", "content": "w1 w2"}], "max_tokens": 8, "temperature": 0}
        whole = client.chat.completions.create(**said).choices[0].message.content
        pieces = [piece.choices[0].delta.content or "" for piece in client.chat.completions.create(stream=True, **said) if piece.choices]
    assert (bool(whole), "".join(pieces)) == (True, whole)
    assert [one["name"] for one in sizeup(running, "status")] == ["sizeup-words"]
    assert "is up already" in program(running, "up", *asked).stdout
    assert sizeup(running, "down")["name"] == "sizeup-words"
    assert sizeup(running, "status") == []


def test_what_vllm_refuses_is_told(running: Running, asked: tuple[str, ...]) -> None:
    """A folder with a broken tokenizer: Ray's reason in one sentence, and nothing is left."""
    os.remove(Path(asked[0], "tokenizer.json"))
    Path(asked[0], "tokenizer_config.json").write_text("{")
    said = program(running, "up", *asked, "--wait", "300")
    assert (said.returncode, "Ray Serve did not start it" in said.stdout) == (6, True)
    assert sizeup(running, "status") == []


def test_breaking_off_leaves_nothing(running: Running, asked: tuple[str, ...]) -> None:
    """Ctrl-C while it starts: the application goes, and Ray Serve with it."""
    command = [sys.executable, "-m", "sizeup", "fleet", "up", *asked, "--ray", running.address]
    with subprocess.Popen(command, env=running.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        end = time.monotonic() + 200
        while not sizeup(running, "status"):
            assert time.monotonic() < end
        child.send_signal(signal.SIGINT)
        assert child.wait(200) == 130
    assert sizeup(running, "status") == []
