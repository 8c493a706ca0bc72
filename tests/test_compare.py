"""Things side by side: every value is what the single answer says, and only what differs is marked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sizeup as package
from sizeup.comparison import Comparison, Row, Value, compare
from sizeup.errors import NotFound, SizeupError, UserError
from sizeup.page import cells
from sizeup.prices import price
from sizeup.probe import machine
from sizeup.readers import read
from sizeup.search import fit
from tests.program import Run


def by_key(found: Comparison) -> dict[str, Row]:
    return {row.key: row for row in found.rows}


def values(found: Comparison, key: str) -> list[Any]:
    return [value.value for value in by_key(found)[key].values]


def test_models_say_what_each_says_alone() -> None:
    """Counts from the layers, bytes of the files, and the best plan on the machine asked about."""
    names = ("qwen3:8b", "gemma3:4b", "Qwen/Qwen3-30B-A3B")
    found = compare(*names, machine="rtx-4090")
    models = [read(name) for name in names]
    assert (found.kind, found.names) == ("models", names)
    assert values(found, "parameters") == [model.parameters for model in models]
    assert values(found, "active") == [model.active_parameters for model in models]
    plans = [fit(model, "rtx-4090")[0] for model in models]
    assert values(found, "fits_here") == [plan.fits for plan in plans]
    assert values(found, "decode_here") == [plan.speed.decode and plan.speed.decode.tokens_per_s for plan in plans]
    assert values(found, "towers") == [None, "vision", None]
    assert by_key(found)["weights_4"].best == (1,)


def test_machines_say_what_each_says_alone() -> None:
    """Memory, bandwidth, power, and the published price of an hour; shared memory is told once."""
    found = compare("rtx-4090", "2x rtx-3090", "m4-max-128gb", "raspberry-pi-5-8gb")
    boxes = [machine(name) for name in found.names]
    assert values(found, "card_memory")[:2] == [sum(p.bytes for p in box.pools if p.name.startswith("vram")) for box in boxes[:2]]
    assert [value.none for value in by_key(found)["host_memory"].values] == ["", "", "shared", ""]
    assert [value.none for value in by_key(found)["cards"].values] == ["", "", "", "no_card"]
    offer = price("GeForce RTX 3090")
    assert offer is not None
    assert values(found, "rent")[1:] == [2 * offer.middle, None, None]


def test_plans_say_what_each_says_alone() -> None:
    """Parts to the byte, room and speeds, as `fit` has them for that mix on that machine."""
    found = compare("qwen3:8b:Q4_K_M@rtx-4090", "qwen3:8b:Q8_0@rtx-3090", context_tokens=16384)
    plans = [fit("qwen3:8b", box, quant=mix, context_tokens=16384)[0] for mix, box in (("Q4_K_M", "rtx-4090"), ("Q8_0", "rtx-3090"))]
    for part in ("weights", "cache", "compute"):
        assert values(found, part) == [plan.breakdown.bytes(part) for plan in plans]
    assert values(found, "room") == [min(plan.free_bytes.values()) for plan in plans]
    assert values(found, "plan_context") == [16384, 16384]
    assert (by_key(found)["weights"].best, by_key(found)["cache"].best) == ((0,), ())
    assert not by_key(found)["plan_context"].differs


def test_things_already_read_are_taken_as_they_are() -> None:
    """Models, machines and plans as objects give what their names give."""
    assert (
        package.compare(read("qwen3:8b"), read("gemma3:4b"), machine="rtx-4090").rows
        == compare("qwen3:8b", "gemma3:4b", machine="rtx-4090").rows
    )
    assert compare(machine("rtx-4090"), "rtx-3090").rows == compare("rtx-4090", "rtx-3090").rows
    plan = fit("qwen3:8b", "rtx-4090", quant="Q8_0")[0]
    assert compare(plan, "qwen3:8b:Q8_0@rtx-3090").rows == compare("qwen3:8b:Q8_0@rtx-4090", "qwen3:8b:Q8_0@rtx-3090").rows


@given(numbers=st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=2, max_size=5), better=st.sampled_from(["more", "less", ""]))
def test_only_what_differs_is_marked_and_only_the_best_starred(numbers: list[int | None], better: Any) -> None:
    """Equal rows have no mark; a star stands at the known best, and never at everything known."""
    row = Row("x", "count", tuple(map(Value, numbers)), better)
    known = [number for number in numbers if number is not None]
    assert row.differs == (len(set(numbers)) > 1)
    if not better or len(set(known)) < 2:
        assert row.best == ()
    else:
        top = (max if better == "more" else min)(known)
        assert row.best == tuple(index for index, number in enumerate(numbers) if number == top)


def test_intervals_that_meet_are_no_difference_for_the_better() -> None:
    """What two predictions cannot tell apart is not starred."""
    near = Row("x", "tokens_per_s", (Value(10.0, 8.0, 12.0), Value(11.0, 9.0, 14.0)), "more")
    far = Row("x", "tokens_per_s", (Value(10.0, 8.0, 12.0), Value(20.0, 18.0, 25.0)), "more")
    assert (near.best, far.best) == ((), (1,))


@pytest.mark.parametrize(
    ("things", "error"),
    [
        ((), UserError),
        (("qwen3:8b",), UserError),
        (("qwen3:8b",) * 9, UserError),
        (("qwen3:8b", "rtx-4090"), UserError),
        (("qwen3:8b@rtx-4090", "gemma3:4b"), UserError),
        (("qwen3:8b@rtx-4090", "gemma3:4b@zorg"), NotFound),
        (("zorg-nine", "qwen3:8b"), NotFound),
        (("qwen3:8b", "/nowhere/model.gguf"), SizeupError),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(things: tuple[str, ...], error: type[SizeupError]) -> None:
    """One thing alone, too many, things of two kinds, or names that nobody has."""
    with pytest.raises(error) as raised:
        compare(*things)
    assert raised.value.hint


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
@pytest.mark.parametrize(
    "things",
    [
        ("qwen3:8b", "gemma3:4b", "llama3.1:8b", "phi4"),
        ("rtx-4090", "m4-max-128gb"),
        ("qwen3:8b:Q4_K_M@rtx-4090", "qwen3:8b@raspberry-pi-5-8gb"),
    ],
)
def test_the_page_fits_80_cells_in_every_language(sizeup: Run, things: tuple[str, ...], language: str) -> None:
    """No line is wider than the page and every thing is named."""
    said = sizeup("compare", *things, "--lang", language, *(("--on", "rtx-4090") if len(things) == 4 else ()))
    assert said.code == 0
    assert max(map(cells, said.out.splitlines())) <= 80
    assert all(thing[:10] in said.out for thing in things)
    assert "≠" in said.out


def test_the_answer_for_programs(sizeup: Run, tmp_path: Path) -> None:
    """One object a row: unit, values with intervals, what differs and what is best."""
    told = json.loads(sizeup("compare", "rtx-4090", "rtx-3090", "--json").out)
    rows = {row["key"]: row for row in told["rows"]}
    assert (told["kind"], told["names"]) == ("machines", ["rtx-4090", "rtx-3090"])
    assert rows["card_bandwidth"]["best"] == [0]
    assert rows["watts"]["values"][0]["value"] == 450
    assert rows["rent"]["values"][0]["source"]["kind"] == "published"
