"""Published runs of the same thing, and by how much they differ."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tools.speed import replicates
from tools.speed.cases import Case, cases
from tools.speed.rows import Row, usable

from sizeup.roofline import Load

PAGE = Path(__file__).parents[1] / "docs" / "speed.md"


def case(**changes: object) -> Case:
    """A decode run of llama-bench."""
    base = Case(
        "Card",
        "NVIDIA Ada",
        "cuda",
        1e12,
        1e14,
        "decode",
        "maker/model",
        "Q4_K_M",
        None,
        128,
        0,
        1,
        512,
        None,
        100.0,
        "A",
        True,
        "a",
        "",
    )
    return base._replace(**changes)  # type: ignore[arg-type]


def test_replicates_are_held_against_other_sources() -> None:
    """Two sources at 100 and 80 tokens/s are off by a quarter and a fifth; a source is not held against itself."""
    load = Load((), 0, 0, 1, 0, 1)
    rows = [Row(case(source=source), load, seconds) for source, seconds in (("a", 0.01), ("b", 0.0125), ("b", 0.0125))]
    found = replicates.floor(rows)
    assert found is not None
    assert (found.runs, found.same, found.farthest) == (3, 1, "Card, cuda, model Q4_K_M")
    assert found.median == pytest.approx(0.25)
    assert replicates.floor(rows[1:]) is None
    assert replicates.floor([rows[0], Row(case(source="b", mix="Q8_0"), load, 1.0)]) is None


def test_the_page_tells_how_far_replicates_lie_apart() -> None:
    """`python -m tools.speed` would write the table that is on the page; the floor of dense decoding is above the aim of 17 %."""
    rows = usable(Counter(), replicates.repeated(cases()))
    assert replicates.section(rows) in PAGE.read_text()
    clean = next(found for what, name, found in replicates.floors(rows) if (what, name) == ("decode, dense", "llama-bench, short"))
    assert clean.p90 > 0.17
