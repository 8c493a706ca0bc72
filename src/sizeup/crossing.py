"""Where something that grows no longer fits: solved on the line between two known points, not searched for.

What a plan takes is piecewise linear in its context: the cache has a bend where a window is full and where a batch is, the
compute buffers where the engine's allocator decides otherwise. On one piece the line through its ends tells the last context that
fits at once; a bend costs one more step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Rooms = Mapping[str, int]
"""Bytes left in each pool; negative where something is missing."""


def last_fitting(limit: int, rooms: Callable[[int], Rooms | None]) -> int:
    """The largest number from 1 to `limit` with room in every pool, when each larger one has less; 0 when there is none.

    `rooms` may answer None: cannot be, so it does not fit. The line through the last number that fits and the first that does
    not gives the next guess; where two guesses did not halve what is open, the middle does.
    """
    low, high = 1, limit
    left, right = rooms(low), rooms(high) if limit > 1 else None
    if not _fits(left):
        return 0
    if limit == 1 or _fits(right):
        return limit
    lines, before = 0, high - low
    while high - low > 1:
        guess = _crossing(low, left, high, right) if lines < 2 else (low + high) // 2
        found = rooms(guess)
        if _fits(found):
            low, left = guess, found
        else:
            high, right = guess, found
        lines = 0 if 2 * (high - low) <= before or lines == 2 else lines + 1
        before = high - low
    return low


def _fits(found: Rooms | None) -> bool:
    return found is not None and all(room >= 0 for room in found.values())


def _crossing(low: int, left: Rooms | None, high: int, right: Rooms | None) -> int:
    """The last number before a pool is full, on straight lines between the two; always strictly between them."""
    assert left is not None
    if right is None:
        return (low + high) // 2
    full = [low + room * (high - low) // (room - right[pool]) for pool, room in left.items() if right.get(pool, room) < 0]
    return min(max(min(full, default=low), low + 1), high - 1)
