"""How many tokens a model of a size should learn from, and the loss that is to be expected: laws fitted to published runs.

Laws come in two forms. A *line* gives the tokens that are best for a size on a double logarithmic scale; a *fit* gives the loss
of any size and any number of tokens, and its minimum under a compute budget of 6 x parameters x tokens is the best. Every
constant is a row of data/scaling_laws.json. All laws were fitted to dense models; for experts, the active parameters are taken.
"""

from __future__ import annotations

import math
import statistics
from typing import Any, NamedTuple

from .facts import Source, data_json
from .figure import Number, step
from .interval import Interval

FLOPS_PER_WEIGHT = 6
"""Per token: a multiplication and an addition forward, and twice that backward."""


@step("line_tokens")
def line_tokens(parameters: Number, at_parameters: Number, at_tokens: Number, exponent: Number) -> Number:
    """Best tokens on a straight line in logarithms through one point."""
    return at_tokens * (parameters / at_parameters) ** exponent


@step("line_parameters")
def line_parameters(flops: Number, at_parameters: Number, at_tokens: Number, exponent: Number) -> Number:
    """The size that spends a budget of 6 x parameters x tokens on that line."""
    budget_at_point = FLOPS_PER_WEIGHT * at_parameters * at_tokens
    return at_parameters * (flops / budget_at_point) ** (1 / (1 + exponent))


@step("fit_tokens")
def fit_tokens(parameters: Number, a: Number, b: Number, alpha: Number, beta: Number) -> Number:
    """Best tokens for a size: where another FLOP lowers the loss as much as size as it does as data."""
    return (beta * b / (alpha * a)) ** (1 / beta) * parameters ** (alpha / beta)


@step("fit_parameters")
def fit_parameters(flops: Number, a: Number, b: Number, alpha: Number, beta: Number) -> Number:
    """The size with the lowest loss under a budget of 6 x parameters x tokens (Hoffmann et al., equation 4)."""
    return (alpha * a / (beta * b)) ** (1 / (alpha + beta)) * (flops / FLOPS_PER_WEIGHT) ** (beta / (alpha + beta))


@step("fit_loss")
def fit_loss(parameters: Number, tokens: Number, e: Number, a: Number, b: Number, alpha: Number, beta: Number) -> Number:
    """Loss in nats per token: what no model can know, what this size misses, what these tokens leave untaught."""
    return e + a / parameters**alpha + b / tokens**beta


@step("budget_flops")
def budget_flops(parameters: Number, tokens: Number) -> Number:
    """FLOPs of a run by the usual rule. Not counted: attention over the sequence, recomputation."""
    return FLOPS_PER_WEIGHT * parameters * tokens


class Law(NamedTuple):
    """One published law."""

    name: str
    current: bool
    """False when a later paper showed it to be wrong."""
    source: Source
    point: tuple[float, float, float] | None
    """Of a line: parameters, tokens, exponent."""
    fit: tuple[float, float, float, float] | None
    """Of a fit: A, B, alpha, beta."""
    floor: float = 0.0
    """Of a fit: E, the loss of an endless model on endless text."""
    floor_error: float = 0.0
    """Its standard error as published; 0 when it was not."""

    def tokens(self, parameters: Number) -> Number:
        """Best tokens for this size."""
        return line_tokens(parameters, *self.point) if self.point else fit_tokens(parameters, *self._fit())

    def parameters(self, flops: Number) -> Number:
        """Best size for this budget."""
        return line_parameters(flops, *self.point) if self.point else fit_parameters(flops, *self._fit())

    def loss(self, parameters: Number, tokens: Number) -> Number:
        """Loss that a fit expects; a line says nothing of it."""
        return fit_loss(parameters, tokens, self.floor, *self._fit())

    def _fit(self) -> tuple[float, float, float, float]:
        assert self.fit is not None
        return self.fit


def laws() -> tuple[Law, ...]:
    """Every law, the superseded ones too."""
    return tuple(_law(row) for row in data_json("scaling_laws.json")["laws"])


def _law(row: dict[str, Any]) -> Law:
    source = Source("published", row["source"], row["date"])
    if row["form"] == "fit":
        fit = (row["A"], row["B"], row["alpha"], row["beta"])
        return Law(row["name"], row["current"], source, None, fit, row["E"], row.get("standard_errors", {}).get("E", 0.0))
    sizes, tokens = row["parameters"], row["tokens"]
    if "tokens_per_flop_exponent" in row:
        exponent = row["tokens_per_flop_exponent"] / (1 - row["tokens_per_flop_exponent"])
    else:
        exponent = math.log(tokens[1] / tokens[0]) / math.log(sizes[1] / sizes[0])
    return Law(row["name"], row["current"], source, (sizes[0], tokens[0], exponent), None)


def optimal_tokens(parameters: int) -> Interval:
    """Best tokens for a size, over the laws that stand; the middle is their median."""
    return _spread([float(law.tokens(parameters)) for law in laws() if law.current])


def optimal_parameters(flops: float) -> Interval:
    """Best size for a budget of FLOPs, over the laws that stand; the middle is their median."""
    return _spread([float(law.parameters(flops)) for law in laws() if law.current])


def fitted_sizes() -> tuple[int, int]:
    """The smallest and the largest model that the laws were fitted to; beyond them they are drawn on."""
    low, high = data_json("scaling_laws.json")["fitted_parameters"]
    return int(low), int(high)


def expected_loss(parameters: int, tokens: int) -> Interval:
    """Loss in nats per token over the fits, with an 80 % margin for the floor's error; the middle is of the fit that stands.

    It holds for Chinchilla's own text and vocabulary alone; what compares two plans is the difference.
    """
    width = data_json("scaling_laws.json")["loss"]["normal_80"]
    fits = [law for law in laws() if law.fit]
    standing = next(law for law in fits if law.current)
    values = [float(law.loss(parameters, tokens)) for law in fits]
    margin = width * standing.floor_error
    middle = float(standing.loss(parameters, tokens))
    return Interval(min(values) - margin, middle, max(values) + margin, standing.source)


def _spread(values: list[float]) -> Interval:
    standing = [law.source for law in laws() if law.current]
    source = Source("published", f"{len(standing)} laws, data/scaling_laws.json", max(source.date for source in standing))
    return Interval(min(values), statistics.median(values), max(values), source)
