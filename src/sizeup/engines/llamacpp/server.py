"""llama.cpp's server with a plan's settings, in a child process on loopback, for as long as a block lasts."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

from ...errors import EngineFailed, NotFound, Unavailable
from ...plan import Plan
from .library import installed_version
from .run import job

PORT = 8080
TRIED_PORTS = 50
STOP_SECONDS = 5.0
LAST_LOG_LINES = 12


class Embedded(NamedTuple):
    """A running server."""

    address: str
    key: str
    """What a client must say (Authorization: Bearer …); "" when anybody on this machine may ask."""
    engine: str
    load_s: float
    pid: int
    alive: Callable[[], bool]


@contextmanager
def serving(plan: Plan, port: int = 0, key: str = "", name: str = "") -> Iterator[Embedded]:
    """Load the plan's model file and serve it at 127.0.0.1 until the block ends; port 0 is any free one.

    Raises NotFound without a model file, Unavailable without the engine or the port, EngineFailed with the log's last lines.
    """
    if not plan.model.path or plan.model.stored != "gguf":
        id = plan.model.card.get("id") or plan.model.name
        raise NotFound(f"There are no weights of {plan.model.name} here to run.", f"sizeup pull {id}, then sizeup run FILE.gguf")
    with served({**job(plan), "name": name or plan.model.name}, port, key) as server:
        yield server


@contextmanager
def served(job: Mapping[str, Any], port: int = 0, key: str = "") -> Iterator[Embedded]:
    """The same for a job that was made of a plan elsewhere, with the `name` that the model is asked for by."""
    installed_version()
    told = {**job, "host": "127.0.0.1", "port": port or free_port(0, False), "key": key}
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, "-m", "sizeup.engines.llamacpp.server_child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(told).encode() + b"\n")
            child.stdin.flush()
            said = first(child.stdout)
            if said.get("event") != "ready":
                child.wait(STOP_SECONDS)
                why = said.get("message") or "it ended without an answer"
                raise EngineFailed(f"The engine failed: {why}.", "sizeup fit for a plan that fits", tail(log))
            engine = f"llama.cpp (xllamacpp {said['version']})"
            yield Embedded(str(said["address"]), key, engine, time.perf_counter() - start, child.pid, lambda: child.poll() is None)
        except BrokenPipeError:
            raise Unavailable("The engine's process could not be started.", 'pip install ".[run]" in the folder of sizeup') from None
        finally:
            stop(child)


def first(out: IO[bytes]) -> dict[str, object]:
    """The first event of a child; empty when it ended without one."""
    for line in out:
        try:
            found = json.loads(line)
        except ValueError:
            continue  # the engine itself may print to stdout
        if isinstance(found, dict) and "event" in found:
            return found
    return {}


def stop(child: subprocess.Popen[bytes]) -> None:
    """Let a child end by itself when its input ends; kill it when it does not."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.close()
        child.wait(STOP_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        pass
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        child.stdout.close()


def tail(log: IO[bytes]) -> str:
    """The last lines of a log."""
    log.seek(0)
    return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-LAST_LOG_LINES:])


def free_port(port: int, exactly: bool) -> int:
    """A port of loopback that nobody listens at: this one or, where it was not named, a next one. Raises Unavailable."""
    reason = ""
    for number in range(port, port + (1 if exactly or not port else TRIED_PORTS)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as found:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                found.bind(("127.0.0.1", number))
            except (OSError, OverflowError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                continue
            return int(found.getsockname()[1])
    raise Unavailable(f"127.0.0.1:{port} cannot be listened at: {reason}.", "another --port, or --port 0 for any")
