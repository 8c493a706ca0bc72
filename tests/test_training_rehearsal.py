"""Rehearsing training: the emitted TRL script really fine-tunes a small model on this CPU, and the prediction is held against it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import sizeup as package
from sizeup.errors import SizeupError, Unavailable
from sizeup.i18n import LANGUAGES, texts
from sizeup.page import Page, cells
from sizeup.practice import rehearse as module
from sizeup.practice.rehearse import rehearse_training
from sizeup.readers.config import spec_from_config
from sizeup.render.practice import practice
from tests.program import Run

CONFIGS = json.loads((Path(__file__).parent / "data" / "train_configs.json").read_text())


def small(layers: int = 4) -> Any:
    """SmolLM2-135M's layers, fewer of them."""
    return spec_from_config({**CONFIGS["SmolLM2-135M"], "num_hidden_layers": layers}, "SmolLM2-135M, thinned")


STEP = {"method": "lora", "dtype": "fp32", "micro_batch": 1, "sequence_tokens": 128, "device": "cpu", "loss": "trl"}


@pytest.mark.transformers
@pytest.mark.skipif(sys.platform != "linux", reason="maps of a process are read as Linux has them")
def test_a_real_fine_tune_meets_the_prediction() -> None:
    """LoRA through the emitted script on this CPU: peak of tensors within 1 %, of the process within 10 %; the loss is a number."""
    for name in module.LIBRARIES:
        pytest.importorskip(name, reason=f"{name} is not installed here")
    found = rehearse_training(package.train(small(), **STEP), steps=1)
    print(f"tensors {found.peak_bytes:,} predicted {found.training.peak_bytes:,} ({found.difference:+.2%})")
    print(f"process {found.resident_bytes:,} predicted {found.training.process_bytes:,}")
    assert found.device == "cpu"
    assert found.peak_bytes == pytest.approx(found.training.peak_bytes, rel=0.01)
    assert found.resident_bytes == pytest.approx(found.training.process_bytes, rel=0.10)
    assert found.micro_batch_s > 0
    assert (found.layers, found.whole_peak_bytes) == (found.of_layers, found.peak_bytes)


def test_two_depths_stand_for_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer layers the whole is drawn on from two depths: of exact steps of both it is exactly the whole's."""

    def ran(training: Any, steps: int) -> tuple[dict[str, Any], Any]:
        layers = training.model.layers
        found = {
            "device": "cpu",
            "peak_bytes": 1000 + 10 * layers,
            "resident_bytes": 5000,
            "libraries_bytes": 500,
            "micro_batch_s": 1 + 0.5 * layers,
        }
        return found, training

    monkeypatch.setattr(module, "_ran", ran)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: True)
    found = rehearse_training(package.train(small(30), **STEP), layers=4)
    assert (found.layers, found.of_layers, found.peak_bytes) == (4, 30, 1040)
    assert (found.whole_peak_bytes, found.whole_micro_batch_s) == (1300, 16.0)
    for language in LANGUAGES:
        shown = practice(Page(texts(language), 80), found)
        assert "16" in shown
        assert max(cells(line) for line in shown.splitlines()) <= 80


@pytest.mark.parametrize(("changes", "words"), [({"layers": 31}, "30"), ({"layers": 0}, "0"), ({"steps": 0}, "0 steps")])
def test_what_cannot_be_rehearsed(monkeypatch: pytest.MonkeyPatch, changes: dict[str, int], words: str) -> None:
    """One sentence and a way out, before anything runs."""
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: True)
    with pytest.raises(SizeupError, match=words) as error:
        rehearse_training(package.train(small(30), **STEP), **changes)
    assert error.value.hint


def test_libraries_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch, sizeup: Run, tmp_path: Path) -> None:
    """Exit 5, the first that is missing, and what installs it."""
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None if name == "trl" else True)
    with pytest.raises(Unavailable, match="trl is not installed"):
        rehearse_training(package.train(small(), **STEP))
    (tmp_path / "config.json").write_text(json.dumps(CONFIGS["SmolLM2-135M"]))
    said = sizeup("train", str(tmp_path), "--method", "lora", "--rehearse", "--lang", "zh-Hant")
    assert said.code == 5
    assert "rehearse-training" in said.err
