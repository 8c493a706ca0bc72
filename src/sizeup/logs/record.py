"""What is known of a start while its lines are being read."""

from __future__ import annotations

import re
from typing import Any

from .reading import Buffer, Card, LoggedModel, Reading

SCALES = {"B": 1, "KiB": 2**10, "KB": 2**10, "MiB": 2**20, "MB": 2**20, "GiB": 2**30, "GB": 2**30, "TiB": 2**40, "TB": 2**40}
"""Engines divide by powers of 1,024 whatever they write behind the number."""
COUNTS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
MOST_BUFFERS = 4096
"""A log that repeats itself for days is no reason to hold more."""
LARGEST = 1 << 50
"""No buffer is larger; a number beyond is damage."""

SIZE = r"(-?\d{1,12}(?:\.\d{1,6})?) ?([KMGT]i?B|B)"


def size(number: str, unit: str) -> tuple[int, int]:
    """(bytes, half of the last digit in bytes) of a size as it was printed."""
    scale = SCALES[unit]
    decimals = len(number.partition(".")[2])
    half = 0 if scale == 1 else int(scale / 10**decimals / 2) + 1
    return max(-LARGEST, min(round(float(number) * scale), LARGEST)), half


def last_part(path: str) -> str:
    """The file of a path, whoever's system it is of."""
    return re.split(r"[\\/]", path.strip().strip("'\""))[-1][:200]


class Record:
    """One start, filled line by line."""

    def __init__(self, engine: str, line: int = 1) -> None:
        self.engine, self.line = engine, line
        self.version: str | None = None
        self.model: dict[str, Any] = {}
        self.settings: dict[str, Any] = {}
        self.cards: dict[str, Card] = {}
        self.ram: int | None = None
        self.buffers: list[Buffer] = []
        self.rates: dict[str, tuple[int, float]] = {}
        self.facts: dict[str, Any] = {}
        self.failed: str | None = None

    @property
    def loaded(self) -> bool:
        """Whether this start has said anything of a model."""
        return bool(self.model or self.buffers)

    def say(self, key: str, value: Any) -> None:
        """Something of the model; the first word counts."""
        if value not in (None, ""):
            self.model.setdefault(key, value)

    def set(self, key: str, value: Any) -> None:
        """A setting; what the engine says last is what it made of it."""
        if value is not None:
            self.settings[key] = value

    def add(self, part: str, pool: str, printed: tuple[int, int], name: str, label: str = "", *, again: bool = False, estimated: bool = False) -> None:  # fmt: skip
        """A buffer; `again` takes the place of an earlier one of the same part, name and label."""
        count, half = printed
        if count < 0 or len(self.buffers) >= MOST_BUFFERS:
            return
        if again:
            self.buffers = [b for b in self.buffers if (b.part, b.name, b.label, b.estimated) != (part, name, label, estimated)]
        self.buffers.append(Buffer(part, pool, count, half, name[:80], label, estimated))

    def rate(self, what: str, tokens: int, per_s: float) -> None:
        """A rate over so many tokens; that of the most tokens counts."""
        if 0 < per_s < 1e9 and tokens >= self.rates.get(what, (0, 0.0))[0]:
            self.rates[what] = (tokens, per_s)

    def card(self, backend: str, name: str, total: int | None = None, free: int | None = None, driver: str = "") -> None:
        """A device, or more about one."""
        known = self.cards.get(backend)
        if known is None and len(self.cards) >= 64:
            return
        self.cards[backend] = Card(
            name or (known.name if known else ""),
            backend,
            total if total is not None else known.total_bytes if known else None,
            free if free is not None else known.free_bytes if known else None,
            driver or (known.driver if known else ""),
        )

    def reading(self) -> Reading:
        """What was found, for good."""
        prefill, decode = self.rates.get("prefill"), self.rates.get("decode")
        return Reading(
            self.engine,
            self.version,
            LoggedModel(**self.model),
            dict(self.settings),
            tuple(self.cards.values()),
            self.ram,
            tuple(self.buffers),
            prefill[1] if prefill else None,
            decode[1] if decode else None,
            prefill[0] or None if prefill else None,
            decode[0] or None if decode else None,
            dict(self.facts),
            self.failed,
            self.line,
        )
