"""A step of a deep model from the steps of two shallow ones.

In a stack of equal blocks the k-th moment from the start of a phase, and the k-th from its end, hold bytes that are an
affine function of the number of blocks; over the place of a block in the stack the largest is at one of its ends. So the
peak of any depth is the largest of these moments, extended. Blocks that alternate take two depths a whole period apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

PARTS = ("weights", "adapter", "gradients", "optimizer", "activations", "logits", "buffers")
PHASES = ("forward", "backward", "step")


class Moment(NamedTuple):
    """Live bytes after an operation that made something."""

    phase: str
    event: str
    total: int
    """Of tensors alone."""
    held: int
    """With what the operation's kernel takes for itself meanwhile."""
    parts: tuple[int, ...]
    """By part, in the order of PARTS; a kernel's own memory is in the buffers."""


SHALLOW = 4
"""Blocks behind the unlike ones at the front: enough that first, second, last but one and last are different ones."""
PERIODS = 12
"""The longest pattern that is looked for."""


def depths(kinds: Sequence[int]) -> tuple[int, int] | None:
    """The two depths that stand for a stack of these kinds of blocks; None when it has no pattern that they could show.

    Both keep what stands at the front and end as the whole stack ends.
    """
    whole = len(kinds)
    for period in range(1, PERIODS + 1):
        front = whole
        while front > period and kinds[front - 1] == kinds[front - 1 - period]:
            front -= 1
        front -= period
        shallow = front + max(SHALLOW, period)
        shallow += (whole - shallow) % period
        if front >= 0 and shallow + period < whole - period:
            return shallow, shallow + period
    return None


def extended(shallow: list[Moment], deep: list[Moment], times: int) -> list[Moment] | None:
    """The moments that may be the peak, `times` periods deeper than `shallow`; None when the two traces do not match."""
    found = []
    for phase in PHASES:
        before, after = ([m for m in moments if m.phase == phase] for moments in (shallow, deep))
        half = len(before) if len(before) == len(after) else (len(before) + 1) // 2 + 1
        pairs = [(before[i], after[i]) for i in range(min(half, len(before)))]
        pairs += [(before[-1 - i], after[-1 - i]) for i in range(min(half, len(before)))]
        if any(a.event != b.event for a, b in pairs):
            return None
        found += [
            Moment(phase, b.event, at(a.total, b.total, times), at(a.held, b.held, times),
                   tuple(at(x, y, times) for x, y in zip(a.parts, b.parts, strict=True)))
            for a, b in pairs
        ]  # fmt: skip
    return found


def at(shallow: int, deep: int, times: int) -> int:
    """The value `times` periods on."""
    return shallow + (deep - shallow) * times
