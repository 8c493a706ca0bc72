"""A derivation says how a number was made, in words, and never another number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizeup.derivation import explain
from sizeup.derivation_line import Line
from sizeup.errors import UserError
from sizeup.facts import GIVEN, Source
from sizeup.figure import Figure, ceil_div, leaf, least, most, plain, round_up, step, total
from sizeup.i18n import LANGUAGES
from sizeup.page import cells
from sizeup.plan import Breakdown, Claim
from sizeup.quant import quant
from sizeup.replay import traced_model
from tests import answers

CARD = Source("published", "a model card", "2026-11-21")


def cache() -> Figure:
    """A cache as an engine makes it: padded slots, layers × slots × bytes a slot."""
    model = traced_model(replace(answers.QWEN3_8B, source=CARD))
    slots = round_up(leaf("context_tokens", 8000, GIVEN), 256)
    k, v = quant("q8_0"), quant("f16")
    figure: Figure = total(group.layers * group.block.cache_bytes(slots, k, v) for group in model.groups)
    return figure


def scratch() -> Figure:
    """A buffer as large as the largest of three sites."""
    rows = leaf("micro_batch_tokens", 512, Source("given", "the default"))
    sites = (rows * 4 * 151_936, rows * 12_288 * 4 + 77, leaf("graph_masks", 8_388_608))
    return Figure(most(*sites).value, "step", (most(*sites),), "compute_buffer")


BREAKDOWN = Breakdown((Claim("cache", "ram", cache()), Claim("compute", "ram", scratch(), 0.02), Claim("output", "ram", 607_744)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_derivation(language: str, golden: Callable[[str, str], None]) -> None:
    """The whole explanation, to the letter."""
    golden(f"why.{language}", str(explain(BREAKDOWN, None, language)) + "\n")


def lines(found: Line) -> Iterator[Line]:
    yield found
    for below in found.below:
        yield from lines(below)


def test_the_value_is_the_computed_one() -> None:
    """The root's value is the figure's, and the formula's factors multiply to it."""
    (root,) = explain(BREAKDOWN, "cache").lines
    layers, one = root.below
    assert root.value == cache().value == 36 * 8192 * (8 * 128 // 32 * 34 + 8 * 128 * 2)
    assert layers.value * one.value == root.value
    assert (layers.name, layers.source) == ("layers", CARD)


def test_the_one_that_binds_is_marked() -> None:
    """Of a maximum's candidates exactly one counts: the one whose value it is."""
    (root,) = explain(BREAKDOWN, "compute").lines
    assert [(line.value, line.binds) for line in root.below] == [
        (512 * 4 * 151_936, True),
        (512 * 12_288 * 4 + 77, False),
        (8_388_608, False),
    ]


def test_asking_for_a_part_that_is_not_there() -> None:
    """An unknown part is a mistake that names the parts there are."""
    with pytest.raises(UserError) as caught:
        explain(BREAKDOWN, "gradients")
    assert caught.value.hint == "--why cache | compute | output"


def test_json_has_values_formulas_and_sources() -> None:
    """The same tree for programs: names, values, units, sources."""
    (root,) = explain(BREAKDOWN, "cache").to_json()["derivation"]
    assert (root["name"], root["value"], root["unit"]) == ("cache", cache().value, "B")
    assert root["below"][0] == {
        "name": "layers",
        "label": "layers",
        "value": 36,
        "unit": None,
        "shown": "36",
        "source": {"kind": "published", "where": "a model card", "date": "2026-11-21"},
    }


def test_long_sums_are_cut() -> None:
    """A sum of many terms tells the largest and adds up the rest."""
    figure = total([leaf(f"part{n}_bytes", n * 100_000) for n in range(1, 31)])
    (root,) = explain(figure).lines
    assert root.value == 46_500_000
    assert root.formula.endswith("and 25 more, together 31.0 MiB")


def test_an_unnamed_number_is_still_told() -> None:
    """A claim without a derivation is its value and nothing else."""
    (root,) = explain(BREAKDOWN, "output").lines
    assert (root.value, root.formula, root.below) == (607_744, "", ())


numbers = st.integers(1, 10**6)


@st.composite
def figures(draw: st.DrawFn, depth: int = 4) -> Any:
    """Random derivations of every operation."""
    if depth == 0 or draw(st.booleans()):
        return leaf(draw(st.sampled_from(["layers", "heads", "row_bytes"])), draw(numbers), GIVEN)
    left, right = draw(figures(depth=depth - 1)), draw(figures(depth=depth - 1))
    made = draw(
        st.sampled_from(
            [
                lambda a, b: a + b,
                lambda a, b: a * b,
                lambda a, b: a - b,
                lambda a, b: a // most(b, 1),
                lambda a, b: ceil_div(a, most(b, 1)),
                lambda a, b: round_up(a, 256),
                lambda a, b: most(a, b),
                lambda a, b: least(a, b, 7),
                lambda a, b: -a,
                lambda a, b: step("kv_cache")(lambda: a + b)(),
            ]
        )
    )
    return made(left, right)


@given(figures(), st.sampled_from(LANGUAGES))
def test_any_graph_can_be_told(figure: Figure, language: str) -> None:
    """Every graph has a text of at most 80 columns and a tree whose root is its value."""
    found = explain(figure, None, language)
    assert found.lines[0].value == plain(figure)
    assert max(cells(line) for line in str(found).splitlines()) <= 80
