"""Talking to a model and serving it: a history, Ctrl+C, a full context; the server is llama.cpp's own with the plan's settings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sizeup.cli.conversation import talk
from sizeup.cli.verb import Asked
from sizeup.engines.llamacpp.server import free_port, serving
from sizeup.errors import Unavailable
from sizeup.i18n import texts
from sizeup.page import Page
from sizeup.search import fit
from sizeup.servers.client import Server
from sizeup.servers.openai import chat, models
from tests.small_model import small_model
from tests.stores import served

ASKED = Asked(Page(texts("en")))


def event(text: str, **rest: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}, "finish_reason": None}], **rest}).encode() + b"\n\n"


END = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
TIMED = b'data: {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}, "timings": {"prompt_n": 5, "prompt_per_second": 50.0, "predicted_per_second": 8.0}}\n\n'


def test_timings_are_the_servers_where_it_tells_them() -> None:
    """llama.cpp's own rates and its count of tokens really read; otherwise our clock, and it is said."""
    with served(lambda method, path, body: (200, iter([event("a"), event("b"), TIMED, END]))) as base:
        found = chat(Server(base), "m", [{"role": "user", "content": "x"}])
    assert (found.text, found.prompt_tokens, found.new_tokens, found.stopped) == ("ab", 5, 4, "stop")
    assert (found.prefill_tokens_per_s, found.decode_tokens_per_s, found.timed_by) == (50.0, 8.0, "server")
    with served(lambda method, path, body: (200, iter([event("a"), event("b"), END]))) as base:
        assert chat(Server(base), "m", []).timed_by == "clock"


@pytest.mark.parametrize(
    "pieces", [[event("a")], [b"data: {nonsense\n\n"], [b"data: 5\n\n"], [b'data: {"error": {"message": "boom"}}\n\n'], []]
)
def test_a_stream_that_breaks_off_is_an_error(pieces: list[bytes]) -> None:
    """An answer without an end, or what is none, is a sentence and not a short answer."""
    with served(lambda method, path, body: (200, iter(pieces))) as base, pytest.raises(Unavailable) as caught:
        chat(Server(base), "m", [])
    assert "\n" not in caught.value.message


def lines(*said: str) -> Any:
    """A person who types these and leaves."""
    left: Iterator[str] = iter(said)

    def ask(prompt: str) -> str:
        line = next(left, None)
        if line is None:
            raise EOFError
        return line

    return ask


def test_a_history_is_kept_and_cleared(capsys: pytest.CaptureFixture[str]) -> None:
    """Each question carries what was said before; /clear leaves the system's words alone; a refused question is taken back."""
    asked: list[list[dict[str, str]]] = []

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        asked.append(body["messages"])
        if body["messages"][-1]["content"] == "too long":
            return 400, {"error": {"message": "the request exceeds the available context size"}}
        return 200, iter([event(f"answer {len(asked)}"), END])

    with served(answer) as base:
        talk(ASKED, Server(base), "m", "be brief", lines("one", "too long", "two", "/clear", "three", "/what", "/bye"))
    roles = [[message["role"] for message in messages] for messages in asked]
    assert roles == [
        ["system", "user"],
        ["system", "user", "assistant", "user"],
        ["system", "user", "assistant", "user"],
        ["system", "user"],
    ]
    assert [messages[-1]["content"] for messages in asked] == ["one", "too long", "two", "three"]
    out = capsys.readouterr().out
    assert "The context is full." in out
    assert "/clear forgets the conversation" in out


def test_ctrl_c_stops_an_answer_and_keeps_what_came(capsys: pytest.CaptureFixture[str]) -> None:
    """An interrupt in the middle of an answer leaves the chat going, with the piece in its history."""
    asked: list[Any] = []
    shown = ""

    def written() -> str:
        nonlocal shown
        shown += capsys.readouterr().out
        return shown

    def pieces() -> Iterator[bytes]:
        yield event("half")
        # Not before the piece is on the screen: what did not come cannot be kept.
        end = time.monotonic() + 20
        while "half" not in written() and time.monotonic() < end:
            time.sleep(0.01)
        # As people do, pressed again when nothing happens: one that falls into a finalizer is dropped by Python.
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(300):
                yield event(" more")
                time.sleep(0.01)
        yield END

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        asked.append(body["messages"])
        return 200, pieces() if len(asked) == 1 else iter([event("fine"), END])

    with served(answer) as base:
        talk(ASKED, Server(base), "m", "", lines("one", "two"))
    assert len(asked) == 2
    assert asked[1][1]["role"] == "assistant"
    assert asked[1][1]["content"].startswith("half")
    assert "Stopped" in written()


def test_a_port_that_is_taken() -> None:
    """A named port that is taken is refused; an unnamed one moves on."""
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(Unavailable):
            free_port(port, True)
        assert free_port(port, False) != port


@pytest.mark.engine
def test_a_real_chat(capsys: pytest.CaptureFixture[str]) -> None:
    """The real engine with its own chat template: two turns, the second reads only what is new; a key keeps others out; then it is gone."""
    plan = fit(str(small_model()), context_tokens=512)[0]
    with serving(plan, key="secret") as server:
        with pytest.raises(Unavailable):
            chat(Server(server.address), "m", [{"role": "user", "content": "Hi"}], max_tokens=2)
        client = Server(server.address, "llama.cpp", token="secret", seconds=60)
        first = chat(client, "m", [{"role": "user", "content": "Name a colour."}], max_tokens=4, temperature=0)
        history = [{"role": "user", "content": "Name a colour."}, {"role": "assistant", "content": first.text}]
        second = chat(client, "m", [*history, {"role": "user", "content": "Another."}], max_tokens=4, temperature=0)
        assert client.ask("/health") == {"status": "ok"}
        assert (first.timed_by, first.new_tokens, bool(first.text.strip())) == ("server", 4, True)
        assert (second.prompt_tokens or 0) < (first.prompt_tokens or 0) + 16
        talk(ASKED, client, "m", "", lines("word " * 800), max_tokens=4)
        pid = server.pid
    assert "The context is full." in capsys.readouterr().out
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.engine
def test_it_serves_until_it_is_stopped() -> None:
    """`sizeup run FILE --serve` says where, answers there on this machine alone, and ends with SIGTERM; so does its engine."""
    command = [sys.executable, "-m", "sizeup", "run", str(small_model()), "--serve", "--port", "0", "--context", "512", "--json"]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert program.stdout is not None
    try:
        said = ""
        while not said.rstrip().endswith("}"):
            said += program.stdout.readline().decode()
        address = json.loads(said)["address"].removesuffix("/v1")
        server = Server(address, seconds=60)
        assert (server.loopback, len(models(server))) == (True, 1)
        program.send_signal(signal.SIGTERM)
        assert program.wait(20) == 0
        with pytest.raises(Unavailable):
            models(server)
    finally:
        program.kill()
        program.wait()
        program.stdout.close()
