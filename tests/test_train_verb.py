"""`sizeup train`: the answer, its JSON, its explanation, its exit codes, in three languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sizeup import train
from sizeup.errors import DOES_NOT_FIT
from sizeup.i18n import LANGUAGES
from sizeup.page import cells
from tests.program import Run


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A Llama 3.1 8B by its config alone."""
    known = json.loads((Path(__file__).parent / "data" / "train_configs.json").read_text())
    path = tmp_path / "config.json"
    path.write_text(json.dumps(known["Llama-3.1-8B"]))
    return str(path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_in_every_language(sizeup: Run, config: str, language: str) -> None:
    """LoRA of an 8B fits a 24 GB card; no line is wider than 80 cells, but for a path that is."""
    said = sizeup("train", config, "--on", "rtx-4090", "--lang", language)
    assert (said.code, said.err) == (0, "")
    assert max(cells(line) for line in said.out.splitlines() if config not in line) <= 80


def test_json_has_every_figure(sizeup: Run, config: str) -> None:
    """Integers in bytes; allocated, reserved and the process's are told apart; the parts are the peak."""
    said = sizeup("train", config, "--json")
    found = json.loads(said.out)
    assert sum(found["parts"].values()) == found["peak_bytes"]
    assert found["peak_bytes"] < found["allocated_bytes"] < found["reserved_bytes"] < found["process_bytes"]
    assert found["parameters"] == 8_030_261_248
    assert found["trained_parameters"] == 41_943_040


def test_what_does_not_fit_offers_the_cheapest_changes(sizeup: Run, config: str) -> None:
    """Full fine-tuning of an 8B on 24 GB: exit 3, and changes that each make it fit."""
    said = sizeup("train", config, "--method", "full", "--on", "rtx-4090", "--json")
    assert said.code == DOES_NOT_FIT
    found = json.loads(said.out)
    assert found["nearest"]
    assert all(option["process_bytes"] <= found["limit_bytes"] for option in found["nearest"])


def test_why_sums_what_is_alive_at_the_peak(sizeup: Run, config: str) -> None:
    """Every part is told as the operations that made it, and their sum is the part."""
    parts = json.loads(sizeup("train", config, "--json").out)["parts"]
    said = sizeup("train", config, "--why", "logits")
    assert said.code == 0
    assert f"{parts['logits_bytes']:,}" in said.out
    assert "log-softmax" in said.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--batch", "0"), "batch of 0"),
        (("--rank", "9999"), "9999"),
        (("--split", "tensor=3"), "32 attention heads"),
        (("--split", "tensr=2"), "tensr"),
        (("--split", "tensor=x"), "number of devices"),
        (("--sequence", "1000000"), "131072 positions"),
        (("--targets", "nothing"), "nothing"),
    ],
)
def test_mistakes_are_one_sentence(sizeup: Run, config: str, options: tuple[str, ...], words: str) -> None:
    """Exit 2, the clash, and a line that begins "Try"."""
    said = sizeup("train", config, *options)
    assert said.code == 2
    assert words in said.err
    assert "Try: " in said.err


def test_a_split_is_marked_as_derived(sizeup: Run, config: str) -> None:
    """What was never traced says so."""
    found = json.loads(sizeup("train", config, "--method", "full", "--split", "data=8,zero=3", "--json").out)
    assert found["source"]["kind"] == "derived"
    assert found["split"]["zero"] == 3


def test_what_a_checkpoint_takes_on_disk() -> None:
    """Full bf16 with AdamW: two bytes a weight, four of states; LoRA: adapters in fp32 and eight bytes of states each, whatever the base, in blocks of 512 bytes."""
    full = train("Qwen/Qwen3-0.6B", method="full", dtype="bf16")
    assert (full.saved_bytes, full.checkpoint_bytes) == pytest.approx((2 * full.parameters, 6 * full.parameters), rel=1e-4)
    for method in ("lora", "qlora"):
        adapted = train("Qwen/Qwen3-0.6B", method=method)
        assert (adapted.saved_bytes, adapted.checkpoint_bytes) == pytest.approx(
            (4 * adapted.trained_parameters, 12 * adapted.trained_parameters), rel=2e-3
        )
