"""One scale for scores of many benchmarks, and what can be said of models that nobody measured: data/quality/scores.json.

    logit(score of model m on benchmark b) = a_b + s_b (ability_m + leaning_m,task(b)) + own_maker + chosen_m + noise
    ability_m = c0 + c1 log2(active) + c2 log2(total/active) + c3 years + maker + family + model
    leaning_m,task = d1_task log2(active) + d2_task years + d3_task thinks + drawn   (knowledge follows size)

* a_b, s_b put a benchmark's scale onto the others' (where models are in common).
* own_maker is a term of each maker for scores that it reports of its own models: how much kinder its settings are, as far as that shows
  where somebody else ran the same benchmark. Its spread widens every model of which only its maker reports.
* chosen_m is the same for one model: what its maker chose to show of it. Both are only in rows that makers report.
* maker, family, model, leaning, own_maker and chosen are drawn from normal distributions whose spreads are estimated with them (EM).
* noise has heavy tails (Student, 4 degrees of freedom): single wrong rows do not bend the fit.

Models of unknown size (closed ones) have a trend of their own in time; they are here because they link the benchmarks.
Scores are told on MMLU-Pro's scale, which has room at both ends: 100 logistic(a + s ability) with that benchmark's a and s.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from .entries import Entry, Row, rows_and_entries
from .rows import DATA

ANCHOR = "MMLU-Pro"
SIDE = 1.2816
FREEDOM = 4.0
ROUNDS = 25
LEANINGS = ("reasoning", "code", "tools", "vision")
EXPERT = "code"
CHOSEN = 0.3
"""Least standard deviation, in logits, of what a maker's choice of settings and prompts does to one model's rows (assumed: only code was run
by others too, which tells little of the rest)."""
"""The task that specialists are made for, by the word in their names."""


def fit() -> None:
    """Write data/quality/scores.json."""
    result = fitted()
    (DATA / "scores.json").write_text(json.dumps(result, indent=1) + "\n")
    print({key: value for key, value in result.items() if key not in ("models", "makers", "families", "benchmarks")})


def fitted(errors: bool = True) -> dict[str, Any]:
    """The content of data/quality/scores.json; `errors` also leaves out every model once."""
    rows, entries = rows_and_entries()
    model = Fit(rows, entries)
    model.run()
    return model.told(_left_out(model) if errors else None)


class Fit:
    """The joint fit: unknowns in one vector, blocks named by (kind, key)."""

    def __init__(self, rows: list[Row], entries: list[Entry]) -> None:
        self.rows, self.entries = rows, entries
        self.benchmarks = sorted({row.benchmark for row in rows})
        self.place: dict[tuple[str, Any], int] = {}
        leanings = [f"{task} {name}" for task in LEANINGS for name in ("active", "years", "thinker")]
        for name in ("open", "active", "spread", "years", "closed", "closed_years", "coder", *leanings):
            self._unknown("fixed", name)
        self.design = [self._terms(row) for row in rows]
        self.y = np.array([row.logit for row in rows])
        self.b = np.array([self.benchmarks.index(row.benchmark) for row in rows])
        self.a = np.zeros(len(self.benchmarks))
        self.s = np.ones(len(self.benchmarks))
        self.weights = np.ones(len(rows))
        self.noise = 0.3
        self.variance = {"maker": 0.1, "family": 0.1, "model": 0.2, "task": 0.1, "own": 0.05, "chosen": CHOSEN**2}
        self.kind = np.array([key[0] for key in sorted(self.place, key=lambda k: self.place[k])])
        self.mean = np.zeros(len(self.place))
        self.covariance = np.eye(len(self.place))

    def _unknown(self, kind: str, key: Any) -> int:
        return self.place.setdefault((kind, key), len(self.place))

    def leaning(self, entry: Entry, task: str) -> dict[int, float]:
        """What an entry's size and date say of a task beyond what they say in general."""
        found = {}
        if task in LEANINGS:
            found[self._unknown("fixed", f"{task} years")] = entry.years
            if entry.active:
                found[self._unknown("fixed", f"{task} active")] = math.log2(entry.active / 8e9)
                found[self._unknown("fixed", f"{task} thinker")] = float(entry.thinker)
        if task == EXPERT and entry.coder:
            found[self._unknown("fixed", "coder")] = 1.0
        return found

    def fixed(self, entry: Entry) -> dict[int, float]:
        """What an entry's size and date say, as weights of unknowns."""
        if not entry.active:
            return {self._unknown("fixed", "closed"): 1.0, self._unknown("fixed", "closed_years"): entry.years}
        return {
            self._unknown("fixed", "open"): 1.0,
            self._unknown("fixed", "active"): math.log2(entry.active / 8e9),
            self._unknown("fixed", "spread"): math.log2(entry.total / entry.active),
            self._unknown("fixed", "years"): entry.years,
        }

    def _terms(self, row: Row) -> tuple[dict[int, float], dict[int, float]]:
        """(terms that the benchmark's slope multiplies, terms beside it)."""
        entry = self.entries[row.entry]
        inner = self.fixed(entry)
        for kind, key in (("maker", entry.maker), ("family", entry.family)):
            if key:
                inner[self._unknown(kind, key)] = 1.0
        inner[self._unknown("model", row.entry)] = 1.0
        if row.task != "general":
            inner[self._unknown("task", (row.entry, row.task))] = 1.0
        inner |= self.leaning(entry, row.task)
        outer = {self._unknown("own", entry.maker or entry.name): 1.0, self._unknown("chosen", row.entry): 1.0} if row.own else {}
        return inner, outer

    def run(self, rounds: int = ROUNDS) -> None:
        """Alternate between the scales and everything else until both stand still."""
        for _ in range(rounds):
            self._scales()
            self._abilities()

    def _inner(self) -> np.ndarray:
        return np.array([sum(self.mean[i] * w for i, w in inner.items()) for inner, _ in self.design])

    def _outer(self) -> np.ndarray:
        return np.array([sum(self.mean[i] * w for i, w in outer.items()) for _, outer in self.design])

    def _scales(self) -> None:
        """a and s of every benchmark by ridge regression towards slope 1, with the abilities' own doubt as attenuation."""
        inner, rest = self._inner(), self.y - self._outer()
        for number in range(len(self.benchmarks)):
            at = self.b == number
            x, y, w = inner[at], rest[at], self.weights[at]
            matrix = np.array([[w.sum() + 0.01, (w * x).sum()], [(w * x).sum(), (w * x * x).sum() + 2.0]])
            self.a[number], self.s[number] = np.linalg.solve(matrix, [(w * y).sum(), (w * x * y).sum() + 2.0])
        self.s = np.clip(self.s, 0.2, 4.0)
        self.s /= np.average(self.s, weights=np.bincount(self.b))

    def _abilities(self) -> None:
        """The posterior of all unknowns given the scales, then spreads and weights from it."""
        design = np.zeros((len(self.rows), len(self.place)))
        for r, (inner, outer) in enumerate(self.design):
            for i, w in inner.items():
                design[r, i] = w * self.s[self.b[r]]
            for i, w in outer.items():
                design[r, i] = w
        self.matrix = design
        self.mean, self.covariance = self.posterior(np.ones(len(self.rows), bool))
        residual = self.y - self.a[self.b] - design @ self.mean
        spread = ((design @ self.covariance) * design).sum(1)
        self.noise = float(np.average(self.weights * (residual**2 + spread)))
        self.weights = (FREEDOM + 1) / (FREEDOM + residual**2 / self.noise)
        for kind in self.variance:
            at = self.kind == kind
            found = float(np.mean(self.mean[at] ** 2 + np.diag(self.covariance)[at]))
            self.variance[kind] = max(found, CHOSEN**2 if kind == "chosen" else 0.01)

    def posterior(self, use: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of the unknowns from the rows in `use`."""
        prior = np.array([0.02 if kind == "fixed" else 1 / self.variance[kind] for kind in self.kind])
        design, weights = self.matrix[use], self.weights[use] / self.noise
        covariance = np.linalg.inv(design.T @ (design * weights[:, None]) + np.diag(prior))
        return covariance @ (design.T @ (weights * (self.y - self.a[self.b])[use])), covariance

    def told(self, errors: dict[str, Any] | None) -> dict[str, Any]:
        """Everything an answer needs, as JSON."""
        at = self.benchmarks.index(ANCHOR)
        sds = {kind: round(math.sqrt(value), 4) for kind, value in self.variance.items()}
        fixed = {key: i for (kind, key), i in self.place.items() if kind == "fixed"}
        size = ["open", "active", "spread", "years"]
        places = [fixed[name] for name in size]
        return {
            "what": "Abilities on one scale, and what size, date, maker and family say of models without rows. Score = 100 logistic(anchor).",
            "how": "tools/quality/scores.py",
            "source": "fitted over data/quality/benchmarks.csv.xz",
            "date": "2026-11-21",
            "anchor": {"benchmark": ANCHOR, "a": round(float(self.a[at]), 4), "s": round(float(self.s[at]), 4)},
            "noise_sd": round(math.sqrt(self.noise), 4),
            "sd": sds,
            "coefficients": {name: round(float(self.mean[i]), 4) for name, i in fixed.items()},
            "coefficients_covariance": np.round(self.covariance[np.ix_(places, places)], 5).tolist(),
            "years_from": "2025-01-01",
            "leave_one_out": errors,
            "benchmarks": {
                name: {"a": round(float(self.a[i]), 3), "s": round(float(self.s[i]), 3), "rows": int((self.b == i).sum())}
                for i, name in enumerate(self.benchmarks)
            },
            "makers": {maker: [*effect, self._last(maker)] for maker, effect in self._effects("maker").items()},
            "families": {family: [*effect, self._last(family)] for family, effect in self._effects("family").items()},
            "own": self._effects("own"),
            "models": self._models(),
        }

    def _effects(self, kind: str) -> dict[str, list[float]]:
        return {
            str(key): [round(float(self.mean[i]), 4), round(math.sqrt(self.covariance[i, i]), 4)]
            for (k, key), i in self.place.items()
            if k == kind and key
        }

    def _models(self) -> dict[str, Any]:
        """Catalogue models with rows: ability and its doubt, in general and for each task with rows of its own."""
        found: dict[str, Any] = {}
        for number, entry in enumerate(self.entries):
            if not entry.catalogue:
                continue
            mine = [row for row in self.rows if row.entry == number]
            found[entry.catalogue] = {
                task: self._told(number, task, [row for row in mine if row.task == task])
                for task in ["general", *sorted({row.task for row in mine} - {"general"})]
            }
        return found

    def _told(self, number: int, task: str, spoken: list[Row]) -> list[Any]:
        """[ability, its standard deviation, basis, rows of the task itself]."""
        mean, variance = self.ability(number, task)
        own = all(row.own for row in spoken)
        basis = "estimated" if not spoken else "self_reported" if own else "measured"
        return [round(mean, 4), round(math.sqrt(variance), 4), basis, len(spoken)]

    def _last(self, maker: str) -> float:
        """Years of the newest model of this maker or family that rows speak of."""
        return round(max(entry.years for entry in self.entries if maker in (entry.maker, entry.family)), 3)

    def ability(self, number: int, task: str) -> tuple[float, float]:
        """Mean and variance of one entry's ability for a task, given all rows."""
        entry, vector = self.entries[number], np.zeros(len(self.place))
        for i, w in self.fixed(entry).items():
            vector[i] = w
        for key in (("maker", entry.maker), ("family", entry.family), ("model", number), ("task", (number, task))):
            if key in self.place:
                vector[self.place[key]] = 1.0
        for i, w in self.leaning(entry, task).items():
            vector[i] = w
        return float(vector @ self.mean), float(vector @ self.covariance @ vector)


def _left_out(fit: Fit) -> dict[str, Any]:
    """Predict every model of known size from the others: errors in points, and how often the 80 % interval holds."""
    points, inside, count = [], [], 0
    for number, entry in enumerate(fit.entries):
        mine = np.array([row.entry == number for row in fit.rows])
        if not entry.active or not mine.any():
            continue
        count += 1
        mean, covariance = fit.posterior(~mine)
        # Each row is told apart by its own noise, wider than normal: Student's variance with these degrees of freedom.
        spread = ((fit.matrix[mine] @ covariance) * fit.matrix[mine]).sum(1) + fit.noise * FREEDOM / (FREEDOM - 2)
        expected = fit.a[fit.b[mine]] + fit.matrix[mine] @ mean
        points += list(100 * np.abs(_logistic(expected) - _logistic(fit.y[mine])))
        inside += list(np.abs(fit.y[mine] - expected) < SIDE * np.sqrt(spread))
    return {
        "models": count,
        "rows": len(points),
        "median_points": round(float(np.median(points)), 2),
        "p90_points": round(float(np.quantile(points, 0.9)), 2),
        "inside_80": round(float(np.mean(inside)), 3),
        "means": "every open model of known size predicted from the others by size, date, maker and family, row by row, in points of that benchmark",
    }


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
