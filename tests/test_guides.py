"""docs/guides.md: every claim of a guide is answered, with figures that come out of the code."""

from __future__ import annotations

import re

import pytest
from tools.guides import memory, scaling  # noqa: F401  they register their answers
from tools.guides.page import ANSWERS, CLAIMS, PAGE, TITLES, VERDICTS, page

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
    """Llama-2-7B as traced with the real PyTorch code: LoRA and QLoRA to the byte, but for the quantiser's rounding of each matrix."""
    held = memory.seven()
    assert held.full == 16 * 6_738_415_616
    # weights and adapters, gradients, AdamW's two numbers; the traced optimizer adds a step counter for each of 448 tensors
    assert held.lora == 13_636_739_072 + 159_907_840 + 2 * 159_907_840
    assert held.qlora == pytest.approx(4_550_803_456 + 159_907_840 + 2 * 159_907_840, rel=1e-4)


def test_examples_have_sources() -> None:
    """Each purpose rests on published work, with its day; the ranges are those of the work."""
    assert [purpose.name for purpose in purposes()] == ["format", "style", "reasoning", "assistant"]
    assert all(each.source.where and each.source.date.startswith("20") for purpose in purposes() for each in purpose.evidence)
    assert all(0 < purpose.low <= purpose.high for purpose in purposes())
