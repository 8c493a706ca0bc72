"""Scaling laws: the published tables come out of the published constants, and every formula is one for all kinds of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest

from sizeup import cost, scaling, training_flops, training_runs
from sizeup.figure import Figure, leaf, plain

FORMULAS: list[tuple[Callable[..., Any], tuple[float, ...]]] = [
    (scaling.line_tokens, (8e9, 1e9, 20.2e9, 1.007)),
    (scaling.line_parameters, (1e23, 1e9, 20.2e9, 1.007)),
    (scaling.fit_tokens, (8e9, 482.01, 2085.43, 0.3478, 0.3658)),
    (scaling.fit_parameters, (1e23, 482.01, 2085.43, 0.3478, 0.3658)),
    (scaling.fit_loss, (8e9, 160e9, 1.8172, 482.01, 2085.43, 0.3478, 0.3658)),
    (scaling.budget_flops, (8_000_000_000, 160_000_000_000)),
    (training_flops.model_flops, (15_000_000, 1_000_000, 2_000_000)),
    (training_flops.seen_tokens, (8192, 1024)),
    (training_flops.seen_tokens, (512, 1024)),
    (training_flops.seen_tokens, (8192, 0)),
    (training_flops.chunk_tokens, (10_000, 4096)),
    (training_runs.paid_mfu, (8_030_000_000, 15_000_000_000_000, 1_300_000, 989.4e12)),
    (cost.device_hours, (7.2e23, 989e12, 0.3)),
    (cost.trained_tokens, (512, 989e12, 0.3, 48e9)),
]


@pytest.mark.parametrize(("formula", "numbers"), FORMULAS)
def test_number_equals_figure_equals_column(formula: Callable[..., Any], numbers: tuple[float, ...]) -> None:
    """A formula gives the same for plain numbers, figures and columns."""
    expected = formula(*numbers)
    figure = formula(*(leaf(str(place), number) for place, number in enumerate(numbers)))
    column = formula(*(numpy.array([number], dtype=numpy.float64) for number in numbers))
    assert isinstance(figure, Figure)
    assert (plain(figure), column.tolist()) == (expected, [pytest.approx(expected, rel=1e-12)])


PUBLISHED = [  # law, parameters, tokens as printed in tables 3 and A3 of arXiv:2203.15556, what their rounding allows
    ("approach_1", 400e6, 8.0e9, 0.02),
    ("approach_1", 10e9, 205.1e9, 0.01),
    ("approach_1", 67e9, 1.5e12, 0.08),
    ("approach_1", 175e9, 3.7e12, 0.02),
    ("approach_1", 10e12, 216.2e12, 0.01),
    ("approach_2", 400e6, 7.7e9, 0.01),
    ("approach_2", 10e9, 219.5e9, 0.01),
    ("approach_2", 67e9, 1.7e12, 0.07),
    ("approach_2", 10e12, 292.0e12, 0.01),
    ("approach_3", 1e9, 27.1e9, 0.10),
    ("approach_3", 67e9, 4.1e12, 0.10),
    ("approach_3", 1e12, 94.1e12, 0.17),
    ("llama_3", 402e9, 16.55e12, 0.001),
]


@pytest.mark.parametrize(("name", "parameters", "tokens", "within"), PUBLISHED)
def test_published_tables(name: str, parameters: float, tokens: float, within: float) -> None:
    """What a paper prints for a size comes out of the constants kept here."""
    law = next(law for law in scaling.laws() if law.name == name)
    assert float(law.tokens(parameters)) == pytest.approx(tokens, rel=within)


@pytest.mark.parametrize("law", scaling.laws(), ids=lambda law: law.name)
@pytest.mark.parametrize("parameters", [1e8, 8e9, 1e12])
def test_best_size_and_best_tokens_agree(law: scaling.Law, parameters: float) -> None:
    """The best size for a budget is the size whose best tokens spend it; for a fit no other split has a lower loss."""
    tokens = float(law.tokens(parameters))
    assert float(law.parameters(6 * parameters * tokens)) == pytest.approx(parameters, rel=1e-9)
    if law.fit:
        assert all(law.loss(parameters, tokens) < law.loss(parameters * other, tokens / other) for other in (0.8, 1.25))


def test_laws_that_stand_agree_where_they_were_fitted() -> None:
    """Around the sizes that were trained (1B to 70B) the standing laws say 18 to 33 tokens a parameter; the superseded one does not."""
    for parameters in (1_000_000_000, 8_000_000_000, 70_000_000_000):
        spread = scaling.optimal_tokens(parameters)
        assert 18 <= spread.low / parameters <= spread.middle / parameters <= spread.high / parameters <= 33
    gone = [law for law in scaling.laws() if not law.current]
    assert [law.name for law in gone] == ["approach_3"]
    assert float(gone[0].tokens(70e9)) / 70e9 > 60


def test_loss_falls_with_size_and_with_data() -> None:
    """More of either lowers the expected loss, never below what no model can know."""
    small, larger, longer = (scaling.expected_loss(*pair) for pair in ((10**9, 2 * 10**10), (2 * 10**9, 2 * 10**10), (10**9, 4 * 10**10)))
    assert small.low < small.middle < small.high
    assert max(larger.middle, longer.middle) < small.middle
    assert scaling.expected_loss(10**15, 10**18).middle > 1.8172


def test_every_constant_has_a_source() -> None:
    """Each law names its paper and its day."""
    assert all(law.source.where and law.source.date.startswith("20") for law in scaling.laws())
