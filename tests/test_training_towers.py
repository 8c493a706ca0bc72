"""Towers for pictures and sound beside a text model that is trained: which are loaded, what is counted of them."""

from __future__ import annotations

from typing import Any

import pytest

import sizeup
from sizeup.errors import UserError
from sizeup.i18n import LANGUAGES
from sizeup.page import cells
from sizeup.training.answer import Training
from tests.program import Run
from tests.test_training_judged import JUDGED, trained

MODEL = "Qwen/Qwen3-VL-2B-Instruct"


def train(model: str = MODEL, **settings: Any) -> Training:
    return sizeup.train(model, sequence_tokens=1024, **settings)


@pytest.mark.parametrize(
    ("model", "method", "expected"),
    [
        (MODEL, "full", "trained"),
        (MODEL, "freeze", "frozen"),
        (MODEL, "qlora", "frozen"),
        ("google/gemma-3-4b-it", "lora", "frozen"),
        ("Qwen/Qwen3.5-0.8B", "full", "none"),
        ("Qwen/Qwen3-0.6B", "full", "none"),
    ],
)
def test_what_the_class_loads_is_the_default(model: str, method: str, expected: str) -> None:
    """A tower comes with its checkpoint's class, and is trained in full fine-tuning; some types have a class of text alone."""
    assert train(model, method=method).recipe.tower == expected


def test_a_frozen_tower_is_its_weights() -> None:
    """LoRA in bf16: two bytes a weight, and nothing else at any moment but the allocator's cells."""
    without, frozen = (train(method="lora", tower=tower) for tower in ("none", "frozen"))
    assert frozen.parameters - without.parameters == frozen.tower_parameters
    assert frozen.trained_parameters == without.trained_parameters
    added = {part: count - without.by_part()[part] for part, count in frozen.by_part().items()}
    assert {part for part, count in added.items() if count} == {"weights"}
    assert added["weights"] == pytest.approx(2 * frozen.tower_parameters, rel=1e-3)


def test_a_trained_tower_has_gradients_and_states() -> None:
    """Full fine-tuning: the text model alone is trained beside a frozen tower; a trained one is trained in every weight."""
    frozen, whole = (train(method="full", tower=tower) for tower in ("frozen", "trained"))
    assert frozen.parameters == whole.parameters == whole.trained_parameters
    assert whole.trained_parameters - frozen.trained_parameters == whole.tower_parameters
    for part, width in (("gradients", 2), ("optimizer", 4)):
        added = getattr(whole.memory, part) - getattr(frozen.memory, part)
        assert added == pytest.approx(width * whole.tower_parameters, rel=1e-2)


def test_all_linear_layers_are_the_towers_too() -> None:
    """Adapters for all linear layers: a trained tower gets them; in 4 bits its matrices are at rest, whether trained or not."""
    frozen, adapted = (train(method="lora", tower=tower) for tower in ("frozen", "trained"))
    assert adapted.trained_parameters > frozen.trained_parameters
    assert adapted.parameters == frozen.parameters
    quantised = train(method="qlora", tower="frozen", kbit_prep=False)
    without = train(method="qlora", tower="none", kbit_prep=False)
    assert 0.5 < (quantised.memory.weights - without.memory.weights) / quantised.tower_parameters < 0.8


@pytest.mark.parametrize(
    ("model", "settings", "words"),
    [
        ("Qwen/Qwen3-0.6B", {"tower": "frozen"}, "has no tower"),
        (MODEL, {"tower": "thawed"}, "thawed"),
        (MODEL, {"tower": "trained", "method": "prompt"}, "Prompt tuning"),
        (MODEL, {"tower": "trained", "method": "lora", "targets": "qv"}, "all-linear"),
    ],
)
def test_what_no_tower_can_be_is_a_sentence(model: str, settings: dict[str, str], words: str) -> None:
    """A model without towers, a word that is none, a method that trains none, adapters that are not counted."""
    with pytest.raises(UserError, match=words):
        train(model, **settings)


def test_towers_are_met_by_traces() -> None:
    """Steps of ten families with their towers, frozen and trained: parameters and what is trained exact, peaks within 0.1 %."""
    rows = [row for row in JUDGED if row["tower"] != "none"]
    assert len({row["type"] for row in rows}) == 10
    for row in rows:
        found = trained(row)
        assert (found.parameters, found.trained_parameters) == (int(row["parameters"]), int(row["trained"]))
        assert found.peak_bytes == pytest.approx(int(row["peak_bytes"]), rel=1e-3)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_answer_says_what_becomes_of_the_tower(sizeup: Run, language: str) -> None:
    """One line, in every language, within 80 cells."""
    said = {
        tower: sizeup("train", MODEL, "--tower", tower, "--method", "lora", "--lang", language) for tower in ("none", "frozen", "trained")
    }
    assert {answer.code for answer in said.values()} == {0}
    assert len({answer.out for answer in said.values()}) == 3
    assert all("406M" in answer.out or "407M" in answer.out for answer in said.values())
    assert max(cells(line) for answer in said.values() for line in answer.out.splitlines()) <= 80
