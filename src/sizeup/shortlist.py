"""The catalogue as a ranking sees it: a row of facts and columns of bytes a model, made beforehand by tools/build_ranking.py.

The columns are the engine's own accounting (llama.cpp, one card or the host alone, f16 cache), kept so that no model is read for a
ranking; tests pin them to it. A placement over several pools is outlined from them: `outline` says what it leaves out.
"""

from __future__ import annotations

import array
import functools
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from .corrections import NOTHING, Lessons, as_measured
from .facts import data_bytes, data_json
from .plan import Claim

MEASURED_PARTS = ("compute", "output", "process", "overhead")
"""Parts beside the weights that a machine's own logs may correct."""
SIDES = 5
"""Card and host beside it, the same of Metal, host alone."""
BAND_UNIT = 1_000_000
"""Bands are kept in millionths."""
MODEL_COLUMNS, CONTEXT_COLUMNS, MIX_COLUMNS = 5, SIDES + SIDES * len(MEASURED_PARTS) * 2, 6


class Weights(NamedTuple):
    """One model in one mix, in bytes."""

    card: int
    """On a card that holds everything."""
    beside: int
    """Then still on the host."""
    host: int
    """On the host alone."""
    experts: int
    """Routed experts, of `card`."""
    dense_read: int
    """Read for each token, experts not counted."""
    routed_read: int
    """Read for each token of the experts that it chooses."""


class Listed(NamedTuple):
    """One catalogue model."""

    facts: dict[str, Any]
    """Its row: id, maker, family, date, licence, modality, context, …"""
    columns: Any
    """Its integers, in the order of tools/build_ranking.py."""

    @property
    def id(self) -> str:
        return str(self.facts["id"])

    @property
    def parameters(self) -> int:
        return int(self.columns[0])

    @property
    def active_parameters(self) -> int:
        return int(self.columns[1])

    @property
    def layers(self) -> int:
        return int(self.columns[2])

    @property
    def expert_layers(self) -> int:
        return int(self.columns[3])

    @property
    def kept_read(self) -> int:
        """Bytes of cache and recurrent state that a token reads and writes over an empty context."""
        return int(self.columns[4])

    def mixes(self) -> list[str]:
        """The mixes that files of it are made in, the best first."""
        table = _table()
        own = data_json("recommended_mixes.json")["native"].get(self.facts["native"])
        return [mix for number, mix in enumerate(table["mixes"]) if (mix in own if own else True) and self._at(number)[2]]

    def weights(self, mix: str) -> Weights:
        """Its bytes in one of `mixes`."""
        return Weights(*self._at(_table()["mixes"].index(mix)))

    def format(self, mix: str) -> str:
        """The number format that most bytes of a mix are in."""
        return str(self.facts["formats"][_table()["mixes"].index(mix)])

    def beside_weights(self, context_tokens: int, kind: str = "cuda", lessons: Lessons = NOTHING) -> tuple[int, int, int]:
        """(card, host beside a card, host alone): bytes beside the weights at this context, between the two nearest that were accounted.

        Cards other than Apple's are taken for CUDA's. `lessons` are what the machine's own logs say of parts.
        """
        contexts = _table()["contexts"]
        limit = self.facts["context"] or contexts[-1]
        known = [min(context, limit) for context in contexts]
        at = next((n for n, context in enumerate(known) if context >= context_tokens), len(known) - 1)
        before = max(at - 1, 0)
        apart = known[at] - known[before]
        share = min(max((context_tokens - known[before]) / apart, 0.0), 1.0) if apart else 0.0
        low, high = (self.columns[MODEL_COLUMNS + CONTEXT_COLUMNS * n :][:CONTEXT_COLUMNS] for n in (before, at))
        first = 2 if kind == "metal" else 0
        if lessons:
            low, high = _as_measured(low, lessons), _as_measured(high, lessons)
        card, beside, host = (int(low[n] + (high[n] - low[n]) * share) for n in (first, first + 1, 4))
        return card, beside, host

    def _at(self, number: int) -> Any:
        start = MODEL_COLUMNS + CONTEXT_COLUMNS * len(_table()["contexts"]) + MIX_COLUMNS * number
        return self.columns[start : start + MIX_COLUMNS]


def _as_measured(columns: Sequence[int], lessons: Lessons) -> list[int]:
    """Bytes needed beside the weights on each side, with the parts that were measured as they were."""
    found = list(columns[:SIDES])
    for place in range(SIDES):
        for number, part in enumerate(MEASURED_PARTS):
            at = SIDES + 2 * (place * len(MEASURED_PARTS) + number)
            claim = Claim(part, "vram:0" if place in (0, 2) else "ram", columns[at], columns[at + 1] / BAND_UNIT)
            found[place] += as_measured(claim, lessons).needed_bytes - claim.needed_bytes
    return found


def _table() -> dict[str, Any]:
    table: dict[str, Any] = data_json("ranking/models.json")
    return table


@functools.cache
def listed() -> tuple[Listed, ...]:
    """Every catalogue model that the engine takes."""
    table, numbers = _table(), array.array("q")
    numbers.frombytes(zlib.decompress(data_bytes("ranking/columns.bin")))
    wide = MODEL_COLUMNS + CONTEXT_COLUMNS * len(table["contexts"]) + MIX_COLUMNS * len(table["mixes"])
    return tuple(Listed(row, numbers[n * wide : (n + 1) * wide]) for n, row in enumerate(table["models"]))
