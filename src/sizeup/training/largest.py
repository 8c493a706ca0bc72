"""The largest number that still fits, over the exact account: by where a line through what is known would meet the limit, and by halving."""

from __future__ import annotations

from collections.abc import Callable


def largest(needed: Callable[[int], int], limit: int, most: int) -> int:
    """The largest n up to `most` with needed(n) <= limit, where more never needs less; 0 when not even 1 fits."""
    if most < 1 or (first := needed(1)) > limit:
        return 0
    fits, known = 1, {1: first}
    fails = most + 1
    halve = False
    while fails - fits > 1:
        guess = fits + (fails - fits) // 2 if halve else _meeting(known, limit)
        guess = min(max(guess, fits + 1), fails - 1)
        known[guess] = needed(guess)
        # What is needed is nearly a line; where it bends, halving ends the search all the same.
        halve = not halve
        if known[guess] <= limit:
            fits = guess
        else:
            fails = guess
    return fits


def _meeting(known: dict[int, int], limit: int) -> int:
    """Where the line through the two points nearest to the limit meets it."""
    if len(known) < 2:
        return 2
    (a, at_a), (b, at_b) = sorted(known.items(), key=lambda point: abs(point[1] - limit))[:2]
    if at_a == at_b:
        return max(a, b) * 2
    return a + int((limit - at_a) * (b - a) // (at_b - at_a))
