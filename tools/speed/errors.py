"""How far predictions lie from runs that were left out: errors, intervals and whether they hold.

Two ways of leaving out: a whole device (what a device nobody has measured can expect) and one model of a device (what a device
that somebody has measured can expect of another model).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sizeup.rates import branch, generation

from .cases import Case
from .fit import Fit
from .rows import Array, Row

FOLDS = 10
SHALLOW_TOKENS = 1100
"""Runs of at most so many tokens over an empty cache, as most benchmarks are."""

INTERVAL = 0.8


class Guess(NamedTuple):
    """A run and what was predicted of it without it."""

    row: Row
    seconds: float
    nearness: str

    @property
    def error(self) -> float:
        """Of the rate: predicted over measured, less one, as a magnitude."""
        return abs(self.row.seconds / self.seconds - 1)

    @property
    def kind(self) -> str:
        """What intervals are kept by."""
        return f"{self.row.case.metric}/{self.nearness}/{'moe' if self.row.load.expert_layers else 'dense'}"


def without_device(rows: Sequence[Row], whole: Fit) -> Iterator[Guess]:
    """Every run, predicted by a fit that saw nothing of its device."""
    for device in sorted({row.case.device for row in rows}):
        rest = [row for row in rows if row.case.device != device]
        left = [row for row in rows if row.case.device == device]
        seen = {f"{row.case.backend}/{generation(row.case.family)}" for row in rest}
        for row, seconds in zip(left, Fit(rest, whole).seconds(left), strict=True):
            yield Guess(row, float(seconds), "family" if f"{row.case.backend}/{generation(row.case.family)}" in seen else "far")


def without_model(rows: Sequence[Row], whole: Fit) -> Iterator[Guess]:
    """Every run whose device has runs of other models, predicted without those of its own model on its device."""
    pairs = sorted({(row.case.device, row.case.model) for row in rows})
    fold = {pair: number % FOLDS for number, pair in enumerate(pairs)}
    for number in range(FOLDS):
        rest = [row for row in rows if fold[row.case.device, row.case.model] != number]
        seen = {branch(row.case.device, row.case.family, row.case.backend)[-1] for row in rest}
        left = [
            row
            for row in rows
            if fold[row.case.device, row.case.model] == number and branch(row.case.device, row.case.family, row.case.backend)[-1] in seen
        ]
        for row, seconds in zip(left, Fit(rest, whole).seconds(left), strict=True):
            yield Guess(row, float(seconds), "device")


def balanced(guesses: Sequence[Guess]) -> Array:
    """Weights that let no device with hundreds of runs speak for all: each run counts by the root of its device's runs."""
    counts: dict[str, int] = {}
    for guess in guesses:
        counts[guess.row.case.device] = counts.get(guess.row.case.device, 0) + 1
    return np.array([counts[guess.row.case.device] ** -0.5 for guess in guesses])


def quantile(values: Array, weights: Array, share: float) -> float:
    """The value below which `share` of the weight lies, between neighbours in proportion."""
    order = np.argsort(values)
    heights = np.cumsum(weights[order]) - weights[order] / 2
    return float(np.interp(share * weights.sum(), heights, values[order]))


def spread(guesses: Sequence[Guess], devices: int) -> tuple[float, float]:
    """Factors around a predicted rate between which `INTERVAL` of the measured ones lie; `devices` are how many speak for it."""
    ratios = np.array([np.log(guess.seconds / guess.row.seconds) for guess in guesses])
    weights, tail = balanced(guesses), (1 - INTERVAL) / 2
    # A run may only lie outside of an interval that others made, and few others make it wider.
    slack = 1 + 1 / max(devices, 1)
    low, high = quantile(ratios, weights, tail) * slack, quantile(ratios, weights, 1 - tail) * slack
    return float(np.exp(min(low, 0.0))), float(np.exp(max(high, 0.0)))


def spreads(guesses: Sequence[Guess]) -> dict[str, tuple[float, float]]:
    """The interval of every kind; one with few devices takes that of its nearest kind with more, widened by how few it has itself."""
    found: dict[str, tuple[float, float]] = {}
    for metric in ("decode", "prefill"):
        for nearness in ("device", "family", "far"):
            for sort in ("dense", "moe"):
                same = [guess for guess in guesses if guess.kind == f"{metric}/{nearness}/{sort}"]
                devices = len({guess.row.case.device for guess in same})
                if devices < 4:
                    same = [g for g in guesses if g.row.case.metric == metric and (g.nearness == nearness or g.kind.endswith(sort))]
                found[f"{metric}/{nearness}/{sort}"] = spread(same, devices)
    return found


def holds(guesses: Sequence[Guess]) -> dict[int, bool]:
    """Whether each run lies in its interval, when its own device had no say in how wide that is."""
    kept: dict[int, bool] = {}
    for device in sorted({guess.row.case.device for guess in guesses}):
        made = spreads([guess for guess in guesses if guess.row.case.device != device])
        for guess in guesses:
            if guess.row.case.device == device:
                low, high = made[guess.kind]
                kept[id(guess)] = low <= guess.seconds / guess.row.seconds <= high
    return kept


class Line(NamedTuple):
    """Errors of some runs."""

    runs: int
    devices: int
    median: float
    p75: float
    p90: float
    coverage: float
    rule_055: float
    """Median error of 0.55 x bandwidth / active weights; not a number for prompts."""
    bare: float
    """Median error of bandwidth / active weights."""


def line(guesses: Sequence[Guess], kept: dict[int, bool]) -> Line | None:
    """One line of a table; None without runs."""
    if not guesses:
        return None
    errors = np.array([guess.error for guess in guesses])
    at_full = np.array([sum(read.bytes for read in g.row.load.reads) / g.row.case.bytes_per_s / g.row.seconds for g in guesses])
    decode = guesses[0].row.case.metric == "decode"
    return Line(
        len(guesses),
        len({guess.row.case.device for guess in guesses}),
        *(float(np.quantile(errors, share)) for share in (0.5, 0.75, 0.9)),
        float(np.mean([kept[id(guess)] for guess in guesses])),
        float(np.median(np.abs(0.55 / at_full - 1))) if decode else float("nan"),
        float(np.median(np.abs(1 / at_full - 1))) if decode else float("nan"),
    )


def shallow(case: Case) -> bool:
    """A short run over an empty cache, one sequence."""
    return case.sequences == 1 and case.depth <= 1024 and case.tokens <= SHALLOW_TOKENS


GROUPS: tuple[tuple[str, Callable[[Guess], bool]], ...] = (
    ("llama-bench, short", lambda g: g.row.case.clean and shallow(g.row.case)),
    ("of these, family has other devices", lambda g: g.row.case.clean and shallow(g.row.case) and g.nearness == "family"),
    ("of these, family unseen", lambda g: g.row.case.clean and shallow(g.row.case) and g.nearness == "far"),
    ("llama-bench, every depth", lambda g: g.row.case.clean and g.row.case.sequences == 1),
    ("llama-bench, several sequences", lambda g: g.row.case.clean and g.row.case.sequences > 1),
    ("people's own runs (Ollama, llmfit)", lambda g: not g.row.case.clean),
    ("all", lambda g: True),
)
"""Which runs a line of the table is about. The bars of the project are about the first two."""


def tables(guesses: Sequence[Guess]) -> Iterator[tuple[str, str, Line]]:
    """(what is measured, which runs, errors), then per family."""
    kept = holds(guesses)
    for metric in ("decode", "prefill"):
        for sort, routed in (("dense", False), ("MoE", True)):
            same = [g for g in guesses if g.row.case.metric == metric and bool(g.row.load.expert_layers) == routed]
            for name, chosen in GROUPS:
                if found := line([g for g in same if chosen(g)], kept):
                    yield f"{metric}, {sort}", name, found
    for metric in ("decode", "prefill"):
        for name in sorted({generation(g.row.case.family) for g in guesses}):
            if found := line(
                [g for g in guesses if g.row.case.metric == metric and g.row.case.clean and generation(g.row.case.family) == name], kept
            ):
                yield f"{metric} by family", name, found
