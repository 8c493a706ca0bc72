"""Coefficients of the step model fitted to runs: logarithms, each drawn towards what the hardware would allow, by Gauss-Newton.

The formula is the product's own (`sizeup.engines.serving.load`). The tables' time between tokens is taken as the whole time says it
(`Run.token_s`). First tokens count where a run was unloaded; in closed loops less, as prompts there come in bunches; of open loops
under load not at all, as those servers were also compiling kernels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from sizeup.engines.serving.load import Load
from sizeup.engines.serving.step_time import Pace

from .rows import Run

Array = np.ndarray[Any, np.dtype[np.float64]]

BELIEF = {
    "fixed_s": (1.5e-3, 0.5),
    "read": (1.15, 0.15),
    "read_experts": (1.15, 0.2),
    "read_cache": (1.3, 0.3),
    "compute": (1.6, 0.3),
    "compute_experts": (2.5, 0.4),
    "split_layer_s": (8e-6, 0.7),
    "expert_layer_s": (3e-5, 0.7),
    "sequence_s": (1e-5, 0.7),
    "arrive_s": (5e-3, 0.5),
    "wait_steps": (1.7, 0.3),
    "together": (0.15, 0.5),
}
"""What is believed before a run is seen, and how firmly (standard deviation of the logarithm)."""
ASSUMED = {"link": 1.25}
"""No run tells it apart: the share of NVLink that all-reduce reaches is four fifths."""
NOISE = 0.12
"""Standard deviation of one run (logarithm)."""
CLOSED = 0.3
"""How much the first token of a closed loop counts."""


def fit(runs: Sequence[Run], start: Pace | None = None, most: int = 8) -> Pace:
    """The coefficients that these runs tell; from those of `start` a few steps are enough."""
    names = list(BELIEF)
    means, spreads = (np.array(column) for column in zip(*BELIEF.values(), strict=True))
    believed = np.log(means)
    theta = believed if start is None else np.log(np.array([getattr(start, name) for name in names]))
    alike = Counter(run.group for run in runs)
    # Many runs of one model say little more than one.
    weights = np.array([[alike[run.group] ** -0.5, alike[run.group] ** -0.5 * _counts(run)] for run in runs]).ravel() / NOISE
    for _ in range(most):
        off = _off(runs, theta)
        slopes = np.array([(_off(runs, theta + 1e-3 * unit) - off) / 1e-3 for unit in np.eye(len(names))]).T
        # Runs far off count less (Huber).
        each = weights * np.sqrt(1 / np.maximum(1.0, np.abs(off) / (2 * NOISE)))
        a = np.vstack([slopes * each[:, None], np.diag(1 / spreads)])
        b = np.concatenate([-off * each, (believed - theta) / spreads])
        change = np.clip(np.linalg.solve(a.T @ a, a.T @ b), -0.5, 0.5)
        theta = theta + change
        if np.abs(change).max() < 5e-3:
            break
    return _pace(theta)


def without_model(runs: Sequence[Run], whole: Pace) -> list[tuple[Run, Load]]:
    """Every run with what is said of it by a fit that saw no run of its model."""
    found = []
    for group in sorted({run.group for run in runs}):
        apart = fit([run for run in runs if run.group != group], whole, 2)
        found += [(run, run.predicted(apart)) for run in runs if run.group == group]
    return found


def _counts(run: Run) -> float:
    return CLOSED if run.fill is None else float(run.unloaded)


def _pace(theta: Array) -> Pace:
    return Pace(**{name: float(f"{np.exp(value):.4g}") for name, value in zip(BELIEF, theta, strict=True)}, **ASSUMED)


def _off(runs: Sequence[Run], theta: Array) -> Array:
    """Logarithms of predicted over measured times, two a run."""
    pace = Pace(**dict(zip(BELIEF, np.exp(theta), strict=True)), **ASSUMED)
    off = []
    for run in runs:
        said = run.predicted(pace)
        off += [np.log(said.itl_s / run.token_s), np.log(min(said.first.p50_s / run.ttft_s, 20))]
    return np.array(off)
