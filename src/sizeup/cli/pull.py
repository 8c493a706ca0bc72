"""sizeup pull MODEL: fetch the file that suits this machine, into the folder of the tool that will run it."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sizeup.errors import DOES_NOT_FIT, SizeupError
from sizeup.operations.world import World

from .settings import model_argument, option
from .verb import Asked, Option, Verb, write

if TYPE_CHECKING:
    from sizeup.download import Event
    from sizeup.pulls import Pull, Puller

INTERRUPTED = 130
PLAIN_EVERY_S = 10.0
"""Seconds between lines of progress where no terminal redraws them."""


def pull(asked: Asked, model: str, **chosen: Any) -> int:
    """Say what is chosen and why, fetch it, and say what to type next; exit 3 when nothing of it fits and nobody asked for it by name."""
    tell = Teller(asked)
    try:
        return pull_told(asked, tell, model, **chosen)
    except SizeupError as error:
        if not asked.json:
            raise
        # A mistake is an event too, on a line as the others are.
        say = asked.page.texts.sentence
        said = {"kind": type(error).__name__, "message": say(error.message), "try": say(error.hint), "exit_code": error.exit_code}
        tell.event({"event": "error", **said})
        return error.exit_code


def pull_told(asked: Asked, tell: Teller, model: str, on: str | None, **chosen: Any) -> int:
    """The same, with errors as errors."""
    from sizeup.pulls import Puller
    from sizeup.render.pull import pulled

    with Puller(World().machine(on), asked.offline, tell.waits) as puller:
        found = puller.settle(model, chosen["quant"], chosen["tool"], chosen["to"], not chosen["no_projector"])
        asked_for = chosen["quant"] is not None or found.why in ("asked", "whole")
        tell.settled(found)
        if found.why == "unfit" and not asked_for:
            return DOES_NOT_FIT
        if chosen["dry_run"]:
            return 0
        path = fetched(puller, found, tell)
        if path is None:
            tell.stopped(found)
            return INTERRUPTED
    if asked.json:
        tell.event({"event": "pulled", "path": str(path), "command": found.command(path)})
    else:
        asked.say(pulled(asked.page, found, path))
    return 0


def fetched(puller: Puller, found: Pull, tell: Teller) -> Path | None:
    """The path of what was fetched; None when somebody stopped it."""
    from sizeup.net import Stopped

    with stopping(puller):
        try:
            return found.fetch(tell)
        except Stopped:
            return None
        finally:
            tell.end()


@contextmanager
def stopping(puller: Puller) -> Iterator[None]:
    """Ctrl+C and a polite kill stop between two bytes instead of tearing through a write; where signals are not ours, nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: puller.stop()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Teller:
    """Progress: one line redrawn on a terminal, plain lines now and then elsewhere, a JSON object a line for programs."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.live = sys.stderr.isatty() and not asked.json
        self._number, self._every = 0, 0
        self._told_s = 0.0

    def __call__(self, event: Event) -> None:
        import time

        if event.kind == "file":
            self._number, self._every = event.done_bytes + 1, event.bytes
            return
        now = time.monotonic()
        if event.kind in ("progress", "checking") and not self.live:
            if now - self._told_s < (1.0 if self.asked.json else PLAIN_EVERY_S):
                return
            self._told_s = now
        if self.asked.json:
            self.event(self._json(event))
            return
        from sizeup.render.pull import pull_event

        words = pull_event(self.asked.page, event, self._number, self._every)
        lasting = event.kind in ("done", "here", "again", "bad", "locked")
        if self.live:
            sys.stderr.write(f"\r\x1b[K{words}" + ("\n" if lasting else ""))
        elif event.kind != "start":
            sys.stderr.write(words + "\n")
        sys.stderr.flush()

    def _json(self, event: Event) -> dict[str, Any]:
        return {
            "event": event.kind,
            "file": event.name,
            "number": self._number,
            "files": self._every,
            "done_bytes": event.done_bytes,
            "bytes": event.bytes,
            "bytes_per_s": round(event.bytes_per_s),
            **({"left_s": round(event.left_s)} if event.left_s is not None and event.kind == "progress" else {}),
            **({"why": event.words} if event.words else {}),
        }

    def settled(self, found: Pull) -> None:
        """What was chosen."""
        if self.asked.json:
            from sizeup.api.pulls import pull_json

            self.event({"event": "chosen", **pull_json(found)})
            return
        from sizeup.render.pull import pull

        self.asked.say(pull(self.asked.page, found))

    def waits(self, seconds: float, why: str) -> None:
        """A server asks to wait, or does not answer."""
        if self.asked.json:
            self.event({"event": "wait", "why": why, "seconds": round(seconds, 1)})
        elif seconds >= 2:
            words = self.asked.page.texts(f"pull.wait_{why}", seconds=f"{seconds:.0f}")
            sys.stderr.write(f"\r\x1b[K  {words}" if self.live else f"  {words}\n")
            sys.stderr.flush()

    def stopped(self, found: Pull) -> None:
        """Stopped by hand: what is here stays here."""
        left = found.missing_bytes
        if self.asked.json:
            self.event({"event": "stopped", "missing_bytes": left, "bytes": found.bytes})
        else:
            page = self.asked.page
            here = page.texts("pull.stopped", here=page.bytes(found.bytes - left), whole=page.bytes(found.bytes))
            sys.stderr.write(f"  {here}\n")

    def end(self) -> None:
        if self.live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def event(self, said: dict[str, Any]) -> None:
        write(json.dumps(said, ensure_ascii=False) + "\n")


def _on() -> click.Parameter:
    from sizeup.operations.shared import ON

    return option(ON)


TOOLS = ("llama.cpp", "ollama", "lmstudio", "hf")

command = Verb(
    "pull",
    pull,
    [
        model_argument(),
        Option(["--quant"], "pull_quant", metavar="MIX"),
        Option(["--for", "tool"], "pull_for", type=click.Choice(TOOLS), metavar="|".join(TOOLS)),
        Option(["--to"], "pull_to", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER"),
        _on(),
        Option(["--no-projector"], is_flag=True),
        Option(["--dry-run"], "pull_dry_run", is_flag=True),
    ],
)
