"""A number that nobody knows exactly: where it may lie, and where that is from."""

from __future__ import annotations

from dataclasses import dataclass

from .facts import ASSUMED, Source


@dataclass(frozen=True, slots=True)
class Interval:
    """Lowest, most likely and highest value, with what they rest on."""

    low: float
    middle: float
    high: float
    source: Source = ASSUMED

    def __post_init__(self) -> None:
        assert self.low <= self.middle <= self.high

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def times(self, factor: float) -> Interval:
        """The same in another unit."""
        return Interval(self.low * factor, self.middle * factor, self.high * factor, self.source)

    def by(self, other: Interval) -> Interval:
        """The product of two that know nothing of each other, both at their worst; the sources of both."""
        words = "; ".join(dict.fromkeys((self.source.where, other.source.where)))
        kind = "assumed" if "assumed" in (self.source.kind, other.source.kind) else other.source.kind
        source = Source(kind, words, max(self.source.date, other.source.date))
        return Interval(self.low * other.low, self.middle * other.middle, self.high * other.high, source)
