"""docs/guides.md: every claim of a guide is answered, with figures that come out of the code."""

from __future__ import annotations

import re

import pytest
from tools.guides import buying, inference, local, machines, memory, placed, scaling, tiers, weights  # noqa: F401  they register their answers
from tools.guides.page import ANSWERS, CLAIMS, PAGE, TITLES, VERDICTS, page

import sizeup
from sizeup.facts import data_json
from sizeup.sft import purposes


def test_the_page_is_what_the_script_writes() -> None:
    """A figure that changes changes the page: python -m tools.guides."""
    assert PAGE.read_text() == page()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim["id"])
def test_every_claim_has_a_verdict(claim: dict[str, object]) -> None:
    """Right, right under a condition, or wrong for a reason; with a figure of our own."""
    found = ANSWERS[str(claim["id"])](claim)
    assert claim["kind"] in TITLES
    assert found.verdict.startswith(VERDICTS)
    assert re.search(r"\d", found.figures)


def test_what_training_holds() -> None:
    """Llama-2-7B as traced with the real PyTorch code, to the byte: weights, adapters, gradients, AdamW's two numbers; the
    optimizer's step counters are a cell each for 448 adapter matrices, 291 tensors of the whole model."""
    model, counters = memory.seven(), 448 * 512
    assert memory.held(memory.step(model, "full", dtype="fp32")) == 16 * 6_738_415_616 + 291 * 512
    assert memory.held(memory.step(model, "lora")) == 13_636_739_072 + 159_907_840 + 2 * 159_907_840 + counters
    assert memory.held(memory.step(model, "qlora")) == 4_550_803_456 + 159_907_840 + 2 * 159_907_840 + counters


@pytest.mark.parametrize(("low", "high"), [(20e9, 24e9), (None, 18e9), (30e9, None)])
def test_a_condition_is_the_edge_of_a_claim(low: float | None, high: float | None) -> None:
    """Inside the batches that a verdict names the process takes what is claimed, one sequence further it does not."""
    model, method = memory.seven(), "lora"
    least = 1 if low is None else memory.most_sequences(model, low - 1, method=method) + 1
    most = memory.MOST if high is None else memory.most_sequences(model, high, method=method)
    taken = {batch: memory.step(model, method, batch).process_bytes for batch in (least - 1, least, most, most + 1) if batch}
    assert low is None or taken[least - 1] < low <= taken[least]
    assert high is None or taken[most] <= high < taken[most + 1]


@pytest.mark.parametrize(("name", "mix", "claimed"), [(inference.EIGHT, "Q4_K_M", 6e9), (inference.SEVENTY, "F16", 140e9)])
def test_a_context_is_the_edge_of_a_claim(name: str, mix: str, claimed: float) -> None:
    """With the context that a verdict names a card's bytes stay within the claim, one step further they do not."""
    model = sizeup.read(name)
    tokens = inference.longest(model, mix, claimed)
    assert inference.on_card(model, mix, tokens) <= claimed < inference.on_card(model, mix, tokens + inference.STEP)


def test_no_context_fits_below_the_weights() -> None:
    """Bytes that do not even hold the weights hold no context."""
    model = sizeup.read(inference.EIGHT)
    assert inference.longest(model, "Q8_0", inference.on_card(model, "Q8_0", part="weights")) == 0


def test_weights_of_simple_formats() -> None:
    """Llama-2-7B by hand: 65 norms of 4,096 numbers stay fp32, all else has the format's bytes; four bits follow the mix instead."""
    norms = 65 * 4096
    rest = memory.seven().parameters - norms
    assert weights.stored(memory.seven(), "F16") == rest * 2 + norms * 4
    assert weights.stored(memory.seven(), "Q8_0") == rest // 32 * 34 + norms * 4


def test_a_measured_machine_is_the_model_and_a_remainder() -> None:
    """Gemma 2 2B by hand: 26 layers of 4 heads of 256, keys and values of two bytes, are cached for every token of the context."""
    assert local.alone("gemma2:2b", None, 4096).bytes("cache") == 26 * 4 * 256 * 2 * 2 * 4096
    assert local.alone("gemma2:2b", None, 4 * 2048, sequences=4).bytes("cache") == 26 * 4 * 256 * 2 * 2 * 8192


@pytest.mark.parametrize("size", ["3B", "8B", "14B", "30B-A3B", "32B", "70B"])
@pytest.mark.parametrize("card", ["RTX 4050 Laptop", "RTX 4060 Ti 16GB", "RTX 3090"])
def test_a_size_runs_in_the_most_bits_that_are_fluent(size: str, card: str) -> None:
    """What is told to lie whole on a card fits it; of the mixes with more bits none would lie there whole and be fluent."""
    machine = placed.box(card, 32)
    found = placed.way(size, machine)
    more = placed.LADDER[: placed.LADDER.index(found.plan.quant)]
    assert not any((one := placed.on(size, machine, mix)).whole and one.pace >= placed.FLUENT for mix in more)
    assert found.plan.fits or not placed.on(size, machine, placed.LADDER[-1]).plan.fits
    assert not found.whole or found.plan.settings.gpu_layers == "all"


def test_the_least_ram_is_the_least() -> None:
    """One size of RAM less and the model does not fit any more."""
    found = placed.least_ram("70B", "RTX 4090")
    assert found is not None
    assert found.plan.fits
    gib = found.plan.machine.pool("ram").bytes >> 30
    less = max(size for size in data_json("preference.json")["memory_sizes_gib"] if size < gib)
    assert not placed.on("70B", placed.box("RTX 4090", less), placed.USUAL).plan.fits


def test_examples_have_sources() -> None:
    """Each purpose rests on published work, with its day; the ranges are those of the work."""
    assert [purpose.name for purpose in purposes()] == ["format", "style", "reasoning", "assistant"]
    assert all(each.source.where and each.source.date.startswith("20") for purpose in purposes() for each in purpose.evidence)
    assert all(0 < purpose.low <= purpose.high for purpose in purposes())
