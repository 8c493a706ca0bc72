"""One point of a rehearsal: how fast at this depth of the cache, with so many sequences decoded together."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Point:
    """Rates are None where time did not reach. Prefill is of one sequence and stands at the first batch of each depth."""

    depth_tokens: int
    """Tokens in the cache of each sequence before the clock starts."""
    sequences: int = 1
    prefill_tokens_per_s: float | None = None
    prefill_spread: float = 0.0
    prefill_repeats: int = 0
    prefill_joules_per_1000_tokens: float | None = None
    decode_tokens_per_s: float | None = None
    """Of all sequences together."""
    decode_spread: float = 0.0
    decode_repeats: int = 0
    decode_joules_per_1000_tokens: float | None = None

    @property
    def reached(self) -> bool:
        return self.decode_tokens_per_s is not None

    @property
    def each_tokens_per_s(self) -> float | None:
        """Decoded tokens per second of one sequence."""
        return None if self.decode_tokens_per_s is None else self.decode_tokens_per_s / self.sequences


def made(rows: Any) -> tuple[Point, ...]:
    """Points from what was stored or sent; fields of another version are left out."""
    known = {field.name for field in dataclasses.fields(Point)}
    return tuple(Point(**{name: value for name, value in row.items() if name in known}) for row in rows or ())
