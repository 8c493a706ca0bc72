"""The law of figures, over every operation and every named step: int == Figure == column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizeup import figure
from sizeup.figure import Figure, ceil_div, leaf, least, most, plain, round_up, total, where

SMALL = st.integers(min_value=0, max_value=2**20)
POSITIVE = st.integers(min_value=1, max_value=2**12)

OPERATIONS: dict[str, Callable[..., Any]] = {
    "arithmetic": lambda a, b, n: (a + b) * n - a % n + a // n,
    "reflected": lambda a, b, n: 7 + (3 * a) - (2**40 - b) + (2**40 // n),
    "ceil_div": lambda a, b, n: ceil_div(a + b, n),
    "round_up": lambda a, b, n: round_up(a + b, n),
    "most": lambda a, b, n: most(a, b, n),
    "least": lambda a, b, n: least(a, b, n),
    "where": lambda a, b, n: where(a % 2, b, n),
    "total": lambda a, b, n: total([a, b, n]),
}


@pytest.mark.parametrize("name", OPERATIONS)
@given(a=SMALL, b=SMALL, n=POSITIVE)
def test_int_equals_figure_equals_column(name: str, a: int, b: int, n: int) -> None:
    """Every operation gives the same number for ints, figures and one-row columns."""
    formula = OPERATIONS[name]
    expected = formula(a, b, n)
    assert plain(formula(leaf("a", a), leaf("b", b), leaf("n", n))) == expected
    column = formula(*(numpy.array([x], dtype=numpy.int64) for x in (a, b, n)))
    assert column.tolist() == [expected]


@given(a=SMALL, n=POSITIVE)
def test_round_up_is_the_next_multiple(a: int, n: int) -> None:
    """round_up is a multiple, not below, and less than one step above."""
    result = round_up(a, n)
    assert result % n == 0
    assert 0 <= result - a < n


def test_a_step_adds_one_named_node_to_figures_and_nothing_to_ints() -> None:
    """A named formula explains itself only when asked with figures."""

    @figure.step("test_only")
    def double(x: Any) -> Any:
        return x * 2

    try:
        assert double(4) == 8
        assert isinstance(double(4), int)
        result = double(leaf("x", 4))
        assert (result.value, result.op, result.name) == (8, "step", "test_only")
        assert [node.name for node in result.walk()] == ["test_only", "", "x"]
    finally:
        del figure.STEPS["test_only"]


def test_figures_compare_and_hash_as_their_values() -> None:
    """A figure may stand wherever its number may."""
    assert leaf("a", 3) == 3
    assert leaf("a", 3) < 4
    assert hash(leaf("a", 3)) == hash(3)
    assert {3: "x"}[leaf("a", 3)] == "x"  # type: ignore[index]
    assert list(range(5))[leaf("a", 3)] == 3
    assert -leaf("a", 3) == -3


def test_walk_visits_a_shared_figure_once() -> None:
    """A derivation is a graph: what two steps share is told once."""
    shared = leaf("shared", 5)
    both = (shared + 1) * shared
    assert sum(isinstance(node, Figure) and node.name == "shared" for node in both.walk()) == 1
