"""Errors of predictions by kind of run: one score a row of tests/data/serving_throughput.csv."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sizeup.engines.serving.load import Load

from . import before
from .rows import Run, truth


class Score(NamedTuple):
    """Predicted over measured times of one row, now and before there was a load."""

    engine: str
    experts: bool
    state: str
    """"unloaded", "loaded", "closed"."""
    itl: float
    ttft: float
    whole: float | None
    """Of the whole answer; None where it was not measured."""
    fill: float | None
    """Of the places, as measured; None in a closed loop."""
    held: bool
    """Whether the measured first token lies in the stated interval."""
    itl_before: float
    ttft_before: float


def scores(said: Iterable[tuple[Run, Load]], spread: Mapping[str, Any]) -> list[Score]:
    """Rows of the table, with intervals of this spread; those with two rates are the mean of both, by requests."""
    engines = truth()
    parts: dict[str, list[tuple[Run, Load]]] = {}
    for run, load in said:
        parts.setdefault(run.name, []).append((run, load))
    return [_score(engines[name], found, spread) for name, found in parts.items() if name in engines]


def _score(engine: str, parts: Sequence[tuple[Run, Load]], spread: Mapping[str, Any]) -> Score:
    first = parts[0][0]
    state = "closed" if first.fill is None else "unloaded" if all(run.unloaded for run, _ in parts) else "loaded"

    def mean(of: Callable[[Run, Load], float]) -> float:
        return sum(run.part * of(run, load) for run, load in parts)

    itl, ttft = mean(lambda run, _: run.itl_s), mean(lambda run, _: run.ttft_s)
    answer = float(first.request.answer_tokens) - 1
    whole = mean(lambda run, load: load.first.p50_s + load.itl_s * answer) / mean(lambda run, _: run.ttft_s + run.token_s * answer)
    return Score(
        engine,
        first.experts,
        state,
        mean(lambda _, load: load.itl_s) / itl,
        mean(lambda _, load: load.first.p50_s) / ttft,
        whole if first.fill is not None else None,
        None if first.fill is None else mean(lambda run, _: run.fill or 0.0),
        spread[state]["low"] <= ttft / mean(lambda _, load: load.first.p50_s) <= spread[state]["high"],
        mean(lambda run, _: before.itl_s(run.replica, run.request)) / itl,
        mean(lambda run, _: before.ttft_s(run.replica, run.request)) / ttft,
    )


def median_error(ratios: Iterable[float]) -> float:
    """The median of |predicted ÷ measured - 1|; not a number where there are none."""
    off = [abs(ratio - 1) for ratio in ratios]
    return statistics.median(off) if off else math.nan


def quantile(numbers: Iterable[float], share: float) -> float:
    """The number below which so large a share of them lies."""
    ordered = sorted(numbers)
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] if low == high else ordered[low] + (ordered[high] - ordered[low]) * (at - low)
