"""Rates fitted to published runs: what devices reach of their specifications.

The formula is the product's own (`sizeup.roofline`). Its rates are sums of logarithms: of everything, of the backend, the vendor,
the family and the device, each drawn towards nothing (ridge), so that what has few runs leans on what has many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sizeup.rates import RATES, assembled, branch
from sizeup.roofline import terms

from .rows import CLASSES, Array, Columns, Row, columns

SPREAD = {"read": 0.15, "layer": 0.35, "compute": 0.3}
"""How far families lie apart: standard deviations of the logarithm."""

DEVICES = 0.4
"""How far devices of one family lie apart, as a share of that."""

ROOT = {"read": np.log(0.75), "layer": np.log(1e-4), "compute": np.log(0.35)}

NOISE = 0.06
"""Standard deviation of one clean run around its device's own rates (logarithm)."""

PEOPLES_NOISE = 0.3


class Fit:
    """Rates fitted to some rows."""

    def __init__(self, rows: Sequence[Row], start: Fit | None = None) -> None:
        self.index: dict[str, int] = {}
        self.prior: list[tuple[float, float]] = []
        cols = columns(rows)
        paths = [branch(r.case.device, r.case.family, r.case.backend) for r in rows]
        self.nodes = sorted({node for path in paths for node in path})
        devices = {r.case.device for r in rows}
        for node in self.nodes:
            near = DEVICES if node.rpartition("/")[2] in devices else 1.0
            for rate in RATES:
                self._add(f"{rate}:{node}", 0.0 if node else ROOT[rate], SPREAD[rate] * near if node else 0.5)
        backends = sorted({r.case.backend for r in rows})
        for name, mean, spread in globals_of(backends):
            self._add(name, mean, spread)
        members = np.zeros((len(rows), len(self.nodes)))
        at = {node: i for i, node in enumerate(self.nodes)}
        for n, path in enumerate(paths):
            members[n, [at[node] for node in path]] = 1.0
        theta = np.array([mean for mean, _ in self.prior])
        if start is not None:
            for name, i in self.index.items():
                theta[i] = start.value(name, theta[i])
        self.theta = self._solve(theta, rows, cols, members, 6 if start else 25)

    def _add(self, name: str, mean: float, spread: float) -> None:
        self.index[name] = len(self.prior)
        self.prior.append((mean, spread))

    def value(self, name: str, default: float = 0.0) -> float:
        return float(self.theta[self.index[name]]) if name in self.index else default

    def _solve(self, theta: Array, rows: Sequence[Row], cols: Columns, members: Array, most: int) -> Array:
        marks = marks_of(rows)
        noise = np.array([NOISE if r.case.clean else PEOPLES_NOISE for r in rows])
        # Many runs of one device and model say little more than one.
        alike = Counter((r.case.device, r.case.model, r.case.metric) for r in rows)
        weight = np.array([alike[r.case.device, r.case.model, r.case.metric] ** -0.5 for r in rows]) / noise
        count = len(self.nodes)
        shared = {name: i for name, i in self.index.items() if i >= 3 * count and "@" not in name}
        means, spreads = (np.array(column) for column in zip(*self.prior, strict=True))
        for _ in range(most):
            node_rates = [members @ theta[k : 3 * count : 3] for k in range(3)]
            here = self._log_seconds(theta, node_rates, cols, marks)
            residual = np.log(cols.seconds) - here
            step = 1e-4
            jacobian = np.zeros((len(rows), len(theta)))
            for k in range(3):
                moved = [rate + step * (j == k) for j, rate in enumerate(node_rates)]
                slope = (self._log_seconds(theta, moved, cols, marks) - here) / step
                jacobian[:, k : 3 * count : 3] = slope[:, None] * members
            for name, i in shared.items():
                other = theta.copy()
                other[i] += step
                slope = (self._log_seconds(other, node_rates, cols, marks) - here) / step
                jacobian[:, i] = slope
                for backend, flag in marks.backends.items():
                    # A backend's own factor moves the rows of that backend as the factor of all does.
                    if (own := self.index.get(f"{name}@{backend}")) is not None:
                        jacobian[:, own] = slope * flag
            # Runs far off count less (Huber), as one mislabelled row must not move a family.
            w = weight * np.sqrt(1 / np.maximum(1.0, np.abs(residual) / (2 * noise)))
            a = np.vstack([jacobian * w[:, None], np.diag(1 / spreads)])
            b = np.concatenate([residual * w, (means - theta) / spreads])
            change = np.clip(np.linalg.solve(a.T @ a, a.T @ b), -0.7, 0.7)
            theta = theta + change
            if np.abs(change).max() < 2e-3:
                break
        return theta

    def _log_seconds(self, theta: Array, rates: Sequence[Array], cols: Columns, marks: Marks) -> Array:
        def get(name: str) -> float:
            return float(theta[self.index[name]]) if name in self.index else 0.0

        def factor(name: str) -> Array:
            own = sum((flag * get(f"{name}@{backend}") for backend, flag in marks.backends.items()), np.zeros(len(cols.seconds)))
            return np.asarray(np.exp(get(name) + own))

        read, layer, compute = (np.exp(rate) for rate in rates)
        pace = assembled(factor, CLASSES, cols.bytes_per_s, cols.flops_per_s, read, layer, compute, marks.flash_off)
        found = terms(cols.load, pace)
        log: Array = np.log(found.memory + found.compute + found.fixed)
        for name, flag in marks.habits.items():
            log = log + flag * get(name)
        return log

    def seconds(self, rows: Sequence[Row], habits: bool = False) -> Array:
        """Predicted seconds of a step under today's llama-bench; `habits` adds what each row's program and age cost it."""
        known = []
        for r in rows:
            path = branch(r.case.device, r.case.family, r.case.backend)
            have = [node for node in path if f"read:{node}" in self.index]
            known.append([sum(self.value(f"{rate}:{node}") for node in have) for rate in RATES])
        marks = marks_of(rows)
        if not habits:
            marks = marks._replace(habits={})
        return np.exp(self._log_seconds(self.theta, list(np.array(known).T), columns(rows), marks))


def globals_of(backends: Sequence[str]) -> Iterator[tuple[str, float, float]]:
    """Factors that all devices share, and each backend's own: name, what is believed before a row is seen, how firmly (logarithms)."""
    for name, usual, spread, apart in (
        ("cache:on", 1.2, 0.3, 0.3),
        ("cache:off", 2.0, 0.5, 0.3),
        ("mixing:on", 0.1, 0.4, 0.3),
        ("mixing:off", 0.05, 0.4, 0.3),
        ("expert_layer", 2.0, 0.4, 0.3),
        ("expert_rows", 100.0, 0.3, 0.25),
        *((f"read:{kind}", 1.0, 0.1, 0.1) for kind in CLASSES),
        *((f"compute:{kind}", 1.0, 0.2, 0.2) for kind in CLASSES),
    ):
        yield name, float(np.log(usual)), spread
        for backend in backends:
            yield f"{name}@{backend}", 0.0, apart
    for habit in HABITS:
        yield habit, 0.1, 0.15


HABITS = ("ollama", "people", "old", "ollama prefill", "people prefill", "old prefill")
"""What makes a row slower than llama-bench of today: other programs around the engine, and builds of before 2025."""


class Marks(NamedTuple):
    """Flags of rows, as columns of 0 and 1."""

    flash_off: Array
    backends: dict[str, Array]
    habits: dict[str, Array]


def marks_of(rows: Sequence[Row]) -> Marks:
    """Which backend each row ran on, and how."""
    old = [r.case.date.startswith(("2023", "2024")) and not r.case.date.endswith("2025") for r in rows]
    people = ["community" in r.case.source for r in rows]
    ollama = [not r.case.clean and not flag for r, flag in zip(rows, people, strict=True)]
    prompt = np.array([r.case.metric == "prefill" for r in rows])
    habits: dict[str, Array] = {}
    for name, flags in (("ollama", ollama), ("people", people), ("old", old)):
        habits[name] = np.array(flags) * ~prompt * 1.0
        habits[f"{name} prefill"] = np.array(flags) * prompt * 1.0
    backends = {name: np.array([r.case.backend == name for r in rows]) * 1.0 for name in {r.case.backend for r in rows}}
    return Marks(np.array([r.case.flash_attention is False for r in rows]), backends, habits)
