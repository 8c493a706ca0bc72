"""What logs of this very machine taught: how parts were really measured, by engine, version and part.

A formula is of one version, and its band for all machines; a machine that was measured gets its own figure, and the answer says so.
"""

from __future__ import annotations

import functools
import os
import statistics
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from . import store
from .drift import order
from .errors import SizeupError
from .facts import Source
from .figure import Figure, Number, leaf, step, whole
from .home import data_file
from .plan import Breakdown, Claim, Correction

FEW = 3
"""Of fewer measurements nobody knows the spread."""
PARTS = ("compute", "output", "process", "overhead", "activations", "logits", "buffers")
"""What an engine's version decides. Weights and caches follow from the file and the settings: if they differ, something else was run."""
LEAST_WITHIN = 0.005
"""No measurement that was printed with a few decimals is surer."""
LEAST, MOST = 0.2, 5.0
"""A factor beyond is no correction but another thing that was measured."""


class Learned(NamedTuple):
    """Measured over predicted for one part on one side of a machine, under one version of an engine."""

    machine: str
    engine: str
    version: str
    part: str
    side: str
    """"ram" or "vram"."""
    factor: float
    """The middle one."""
    spread: float
    """Half the distance between the least and the most."""
    runs: int
    date: str

    def within(self, formula: float) -> float:
        """The band of what it corrects, whose formula has a band of its own: of few measurements nobody knows more than how far off they were."""
        found = max(formula, abs(self.factor - 1)) if self.runs < FEW else self.spread / self.factor
        return max(found, LEAST_WITHIN)

    @property
    def source(self) -> Source:
        """What was measured, how often, how far apart, and when last."""
        name = " ".join(filter(None, (self.engine, self.version)))
        logs = f"{self.runs} logs of {name}, ± {self.spread / self.factor:.1%}" if self.runs > 1 else f"1 log of {name}"
        return Source("measured", logs, self.date)


Lessons = Mapping[tuple[str, str], Learned]
"""What is known of one machine under one engine, by part and side."""
NOTHING: Lessons = {}


def corrected(breakdown: Breakdown, machine: str, engine: str) -> Breakdown:
    """The breakdown with what this machine's logs say of its claims; itself where they say nothing else than the formula."""
    known = lessons(machine, engine)
    if not known:
        return breakdown
    return replace(breakdown, claims=tuple(as_measured(claim, known) for claim in breakdown.claims))


@step("measured_bytes")
def measured_bytes(bytes: Number, factor: Number) -> Number:
    """A claim's bytes by the formula, times what was measured over what was predicted; whole bytes. Not counted: the band, `Learned.within`."""
    return whole(bytes * factor)


def lessons(machine: str, engine: str) -> Lessons:
    """What this machine's logs say of parts; nothing where there are none."""
    return _known(machine, engine.lower())


def learned(machine: str | None = None, engine: str | None = None) -> list[Learned]:
    """Everything that was learned, of the newest version that was measured, by machine, engine, part and side."""
    ratios: dict[tuple[str, str, str, str], dict[str, list[tuple[float, str]]]] = {}
    for row in store.measurements():
        if not row.source or not row.machine or machine not in (None, row.machine) or engine not in (None, row.engine):
            continue
        sums: dict[tuple[str, str], list[int]] = {}
        for one in row.compared:
            if one["part"] in PARTS and one.get("predicted_bytes"):
                both = sums.setdefault((one["part"], side(one["pool"])), [0, 0])
                # What rounds to the same print is the same.
                both[0] += one["predicted_bytes" if one["verdict"] == "equal" else "measured_bytes"]
                both[1] += one["predicted_bytes"]
        for (part, where), (measured, predicted) in sums.items():
            ratios.setdefault((row.machine, row.engine, part, where), {}).setdefault(row.version, []).append(
                (measured / predicted, row.date)
            )
    found = []
    for (box, name, part, where), versions in ratios.items():
        version = max(versions, key=order)
        factors = sorted(factor for factor, _ in versions[version])
        date = max(when for _, when in versions[version])[:10]
        middle = statistics.median(factors)
        if LEAST <= middle <= MOST and factors != [1.0] * len(factors):
            found.append(Learned(box, name, version, part, where, middle, (factors[-1] - factors[0]) / 2, len(factors), date))
    return found


def side(pool: str) -> str:
    """Cards of one machine are alike here: what matters is whether the host or a card computes."""
    return "ram" if pool == "ram" else "vram"


def _known(machine: str, engine: str) -> dict[tuple[str, str], Learned]:
    # A search asks thousands of times: of the file only its state is looked at.
    path = _path(os.environ.get("SIZEUP_HOME"), os.environ.get("XDG_DATA_HOME"), os.environ.get("HOME"))
    try:
        state = os.stat(path)
    except OSError:
        return {}
    return _read(path, state.st_mtime_ns, state.st_size, machine, engine)


@functools.lru_cache(maxsize=16)
def _path(*places: str | None) -> str:
    return str(data_file("sizeup.db"))


@functools.lru_cache(maxsize=64)
def _read(path: str, changed_ns: int, size: int, machine: str, engine: str) -> dict[tuple[str, str], Learned]:
    try:
        return {(one.part, one.side): one for one in learned(machine, engine)}
    except (SizeupError, KeyError, TypeError, ValueError):
        return {}  # a damaged store teaches nothing; the doctor says that it is damaged


def as_measured(claim: Claim, known: Lessons) -> Claim:
    """A claim, its bytes a number, figure or column, with what was learned of its part; itself where nothing was."""
    found = known.get((claim.part, side(claim.pool)))
    if found is None or claim.correction is not None:
        return claim
    # A figure remembers where its factor is from; numbers and columns are only multiplied.
    factor = leaf("measured_factor", found.factor, found.source) if isinstance(claim.bytes, Figure) else found.factor
    correction = Correction(found.engine, found.version, found.factor, found.spread, found.runs, found.date)
    return replace(claim, bytes=measured_bytes(claim.bytes, factor), within=found.within(claim.within), correction=correction)
