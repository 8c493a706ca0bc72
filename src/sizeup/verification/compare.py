"""Measured beside predicted, part by part and pool by pool, and what the differences mean."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, NamedTuple

from sizeup.figure import plain
from sizeup.logs import Buffer, Reading
from sizeup.plan import Breakdown

Outcome = Literal["equal", "band", "file", "unpredicted", "differs"]
Verdict = Literal["explained", "version", "unexplained", "read"]

FACTS_VERSION = "b11549"
"""The version of llama.cpp that our facts are of (data/llamacpp_*.json)."""


class Compared(NamedTuple):
    """One part in one pool."""

    part: str
    pool: str
    """"" for all pools together, where the log does not say which."""
    measured_bytes: int
    rounding_bytes: int
    """How far the true number may lie from what was printed."""
    predicted_bytes: int | None
    within: float
    verdict: Outcome

    @property
    def difference_bytes(self) -> int | None:
        """Measured less predicted."""
        return None if self.predicted_bytes is None else self.measured_bytes - self.predicted_bytes


def compared(
    reading: Reading, breakdown: Breakdown | None, mix_bytes: int | None = None, untold: Collection[str] = ()
) -> tuple[Compared, ...]:
    """Every part that the log tells, beside what the breakdown says of it, but for those that follow from settings left untold.

    `mix_bytes` are the weights of the mix as we know it.
    """
    sums: dict[tuple[str, str], list[Buffer]] = {}
    for buffer in reading.buffers:
        if not buffer.estimated:
            sums.setdefault((buffer.part, buffer.pool), []).append(buffer)
    return tuple(
        _one(part, pool, buffers, None if part in untold else breakdown, reading, mix_bytes) for (part, pool), buffers in sums.items()
    )


def _one(part: str, pool: str, buffers: list[Buffer], breakdown: Breakdown | None, reading: Reading, mix_bytes: int | None) -> Compared:
    measured, rounding = sum(b.bytes for b in buffers), sum(b.rounding_bytes for b in buffers)
    if breakdown is None or not _told(part, breakdown):
        return Compared(part, pool, measured, rounding, None, 0.0, "unpredicted")
    # The table at the end of a run counts a recurrent state in with the cache.
    parts = ("cache", "state") if any(b.label == "context" for b in buffers) else (part,)
    pools = [name for name in breakdown.by_pool() if name == pool or (pool == "vram" and name.startswith("vram"))]
    predicted = sum(int(plain(breakdown.bytes(one, where))) for one in parts for where in pools)
    within = max((claim.within for claim in breakdown.claims if claim.part in parts and claim.pool in pools), default=0.0)
    off = abs(measured - predicted)
    outcome: Outcome = "differs"
    if off <= rounding:
        outcome = "equal"
    elif off <= rounding + within * predicted:
        outcome = "band"
    elif part in ("weights", "repacked") and _other_recipe(reading, mix_bytes):
        outcome = "file"
    return Compared(part, pool, measured, rounding, predicted, within, outcome)


def _told(part: str, breakdown: Breakdown) -> bool:
    parts = {claim.part for claim in breakdown.claims}
    # llama.cpp's accounting is whole: what it has no claim for is predicted to be nothing.
    return part in parts or ("output" in parts and part in ("weights", "repacked", "cache", "state", "compute"))


def _other_recipe(reading: Reading, mix_bytes: int | None) -> bool:
    """Whether the file itself is of another size than the mix gives: its maker had a recipe of their own."""
    size = reading.model.file_bytes
    return bool(size and mix_bytes and abs(size - mix_bytes) > max(0.0005 * mix_bytes, (1 << 30) / 150))


def verdict(reading: Reading, rows: tuple[Compared, ...], facts_version: str = FACTS_VERSION, apart: bool = False) -> Verdict:
    """What the comparison says of the start as a whole; `apart` is whether a count differs."""
    outcomes = {row.verdict for row in rows}
    if not outcomes - {"unpredicted"}:
        return "read"
    if "differs" not in outcomes and not apart:
        return "explained"
    other = reading.engine == "ollama" or (reading.version is not None and reading.version != facts_version)
    return "version" if other else "unexplained"
