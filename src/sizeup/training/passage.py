"""What going through one block does to the tape, so that blocks like it need not be gone through again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sizeup.figure import Number

from .tape import Peak, Tape

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Passage:
    """Bytes by part, all relative to the moment before."""

    change: dict[str, Number]
    """What is alive behind it and was not before, less what was freed."""
    peak: Peak


def through(tape: Tape, run: Callable[[], R]) -> tuple[R, Passage]:
    """Run it on the tape and tell what it did."""
    before, total, outside = dict(tape.live), tape.total, tape.peak
    tape.peak = Peak()
    result = run()
    own = tape.peak
    tape.peak = outside
    tape.consider(own)
    change = {part: bytes - before.get(part, 0) for part, bytes in tape.live.items()}
    parts = {part: bytes - before.get(part, 0) for part, bytes in own.parts.items()}
    return result, Passage(change, Peak(own.bytes - total, own.with_workspace - total, parts, own.event))


def repeat(tape: Tape, passage: Passage, times: int) -> None:
    """The same so many times more. Each begins a `change` further on, so the highest peak is the first's or the last's."""
    if times < 1:
        return
    tape.consider(_above(tape, passage.peak))
    if times > 1:
        for part, bytes in passage.change.items():
            tape.hold(part, (times - 1) * bytes)
        tape.consider(_above(tape, passage.peak))
    for part, bytes in passage.change.items():
        tape.hold(part, bytes)


def _above(tape: Tape, peak: Peak) -> Peak:
    """A relative peak, from where the tape is now."""
    parts = {part: tape.live.get(part, 0) + peak.parts.get(part, 0) for part in {**tape.live, **peak.parts}}
    return Peak(tape.total + peak.bytes, tape.total + peak.with_workspace, parts, peak.event)
