"""`sizeup serve` as a process: where it listens, what it says, how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="needs the extra `web`")

from sizeup.errors import Unavailable
from sizeup.web.run import bound
from tests.program import Run


@contextmanager
def served(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server's address, and its process, which is ended at the end."""
    command = [sys.executable, "-m", "sizeup", "serve", "--lang", "en", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            said = next(line for line in server.stdout if "http://" in line)
            yield said.split()[-1], server
        finally:
            server.terminate()


def asked(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=30) as reply:
        return json.load(reply)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_answers(workers: str) -> None:
    """A server answers at the address that it prints, in one process or two, and ends when it is told to."""
    with served("--port", "0", "--workers", workers) as (address, server):
        assert asked(f"{address}api/plan?model=qwen3:8b&on=rtx-4090")["fits"] is True
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def test_a_taken_port() -> None:
    """An unnamed port that is taken is passed over; a named one is a mistake."""
    taken = bound("127.0.0.1", 0, True)
    number = taken.getsockname()[1]
    other = bound("127.0.0.1", number, False)
    assert other.getsockname()[1] > number
    with pytest.raises(Unavailable, match=str(number)):
        bound("127.0.0.1", number, True)
    taken.close()
    other.close()


def test_other_machines_only_when_said(sizeup: Run) -> None:
    """An address that others can reach needs --public."""
    said = sizeup("serve", "--host", "0.0.0.0")
    assert (said.code, said.err.splitlines()[1]) == (2, "Try: --host 0.0.0.0 --public, or leave --host out")


def test_a_port_that_cannot_be(sizeup: Run) -> None:
    assert sizeup("serve", "--port", "99999").code == 5


def test_no_such_address(sizeup: Run) -> None:
    """An address that is not of this machine is one sentence."""
    assert sizeup("serve", "--host", "192.0.2.1", "--public", "--port", "0").code == 5


def test_loopback_only() -> None:
    """The socket is bound to loopback."""
    found = bound("127.0.0.1", 0, True)
    assert (found.family, found.getsockname()[0]) == (socket.AF_INET, "127.0.0.1")
    found.close()
