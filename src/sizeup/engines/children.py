"""A child process that works for us: one job (JSON) on its stdin, events (JSON lines) on its stdout, its log kept for an error."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from ..errors import EngineFailed, Unavailable

LAST_LOG_LINES = 12
WHY = ("GGML_ASSERT", "GGML_ABORT", "fatal error", "terminate called", "what():")
"""In the line that says why a child aborted."""


def events(
    module: str, job: dict[str, Any], install: str = 'pip install ".[run]" in the folder of sizeup'
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the module, run as a program, says of a job as it comes; the child is gone when this ends, also on an error or an interrupt.

    Raises EngineFailed with its reason and the log's last lines, Unavailable with what to install where it could not be started.
    """
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen([sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(job).encode() + b"\n")
            child.stdin.close()
            finished = False
            for line in child.stdout:
                try:
                    event = json.loads(line)
                except ValueError:
                    continue  # the engine itself may print to stdout
                kind = event.pop("event")
                if kind == "failed":
                    raise EngineFailed(
                        f"The engine failed: {event['message']}.", event["hint"] or "sizeup fit for a plan that fits", event["log"]
                    )
                finished = kind == "done"
                yield kind, event
            code = child.wait()
            if not finished:
                raise EngineFailed(f"The engine ended without an answer ({_ending(code)}).", "sizeup fit for a smaller plan", _tail(log))
        except BrokenPipeError:
            raise Unavailable("The engine's process could not be started.", install) from None
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
            child.stdout.close()


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit {code}"


def _tail(log: IO[bytes]) -> str:
    """The last lines that say why: an abort's own line, not the stack that a debugger prints behind it."""
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").splitlines()
    said = [line for line in lines if any(word in line for word in WHY)]
    return "\n".join((said or lines)[-LAST_LOG_LINES:])
