"""Traces of training steps: what stands for a deep model, what is refused, how it is told. No library is needed here."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from typing import Any

import pytest

import sizeup
from sizeup.errors import EngineFailed, Unavailable, UserError
from sizeup.i18n import LANGUAGES, texts
from sizeup.page import Page, cells
from sizeup.plan import PARTS
from sizeup.render.trace import training_proof
from sizeup.trace import child, depth, proof, shim
from sizeup.trace.depth import Moment, depths, extended
from sizeup.trace.proof import TrainingProof
from sizeup.training.parallel import Split
from tests.program import Run
from tests.test_training_truth import MODELS

LLAMA = MODELS["Llama-3.2-1B"]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([0] * 32, (4, 5)),
        ([0, 1, 1, *[1] * 24], (5, 6)),
        ([0, 1] * 13, (4, 6)),
        ([0, 0, 0, 0, 0, 1] * 4 + [0, 0], (8, 14)),
        ([0] * 5, None),
        ([0] * 31 + [1], None),
        (list(range(30)), None),
    ],
)
def test_two_depths_keep_the_front_and_the_end(kinds: list[int], expected: tuple[int, int] | None) -> None:
    """The shallow models begin and end as the deep one does, a period apart; without a pattern all layers are run."""
    assert depths(kinds) == expected
    if expected is not None:
        shallow, deep = expected
        period = deep - shallow
        assert kinds[:deep] == kinds[:shallow] + kinds[shallow - period : shallow]
        assert kinds[-period:] == kinds[deep - period : deep]
        assert (len(kinds) - shallow) % period == 0


def stack(layers: int) -> list[Moment]:
    """A made-up step: every layer keeps 10, frees it in the order of backward, and adds a gradient of 4."""
    moments, live = [], 100
    for _ in range(layers):
        live += 10
        moments.append(Moment("forward", "layer", live, live + 1, (0, 0, 0, 0, live - 100, 0, 101)))
    for _ in range(layers):
        live += 4 - 10
        moments.append(Moment("backward", "layer", live + 7, live + 7, (0, 0, 0, 0, live, 0, 7)))
    return moments


def test_the_peak_of_a_deep_stack_is_that_of_two_shallow_ones() -> None:
    """The largest extended moment is the largest of all layers, of tensors and with kernels' own memory."""
    whole, two = stack(40), extended(stack(4), stack(5), 36)
    assert two is not None
    assert max(m.total for m in two) == max(m.total for m in whole)
    assert max(m.held for m in two) == max(m.held for m in whole)


def test_traces_that_do_not_match_stand_for_nothing() -> None:
    """Another operation at the same place: the step is not a stack of equal blocks, and all layers are run."""
    other = [moment._replace(event="other") for moment in stack(5)]
    assert extended(stack(4), other, 36) is None


def absent(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if all libraries were installed but this one."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda wanted: None if wanted == name else True)


@pytest.mark.parametrize("name", ["transformers", "peft", "torch", "bitsandbytes"])
def test_a_missing_library_is_named_with_how_to_get_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 5, the library's name, and the command that installs all of them."""
    training = sizeup.train(LLAMA)
    absent(name, monkeypatch)
    with pytest.raises(Unavailable) as error:
        sizeup.prove_training(training)
    assert name in error.value.message
    assert error.value.hint == 'pip install ".[train]" in the folder of sizeup'


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "lora8bit"}, "lora8bit"),
        ({"method": "full", "dtype": "bf16-master"}, "bf16-master"),
        ({"optimizer": "galore"}, "galore"),
        ({"loss": "chunked"}, "chunked"),
        ({"method": "full", "split": Split(data=2)}, "one device"),
        ({"algorithm": "dpo"}, "supervised"),
    ],
)
def test_what_the_libraries_do_not_run_is_refused_before_they_start(settings: dict[str, Any], words: str) -> None:
    """One sentence that names it, and what to try."""
    with pytest.raises(UserError, match=words) as error:
        sizeup.prove_training(sizeup.train(LLAMA, **settings))
    assert error.value.hint


def test_a_model_without_a_config_is_refused() -> None:
    """A file of weights alone names no class of transformers."""
    training = sizeup.train(LLAMA)
    with pytest.raises(UserError, match=r"config\.json"):
        sizeup.prove_training(replace(training, model=replace(LLAMA, config={})))


def answered(monkeypatch: pytest.MonkeyPatch, *answers: dict[str, Any]) -> list[dict[str, Any]]:
    """The child gives these answers in turn; what it was asked."""
    asked: list[dict[str, Any]] = []
    left = list(answers)
    monkeypatch.setattr(proof, "_run", lambda question, progress: asked.append(question) or left.pop(0))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.0")
    return asked


FOUND: dict[str, Any] = {
    "parameters": 1_235_814_400, "trained": 11_272_192, "gradients_bytes": 45_088_768, "rests": {"weights": 10}, "kernels": {"flash": 32},
    "traced_layers": [4, 5], "peak_bytes": 4_000_000_000, "tensors_peak_bytes": 3_999_999_488, "peak_phase": "backward",
    "peak_at": "aten._log_softmax_backward_data.default",
    "parts": {"weights": 2_500_000_000, "adapter": 45_088_768, "gradients": 0, "optimizer": 90_197_504, "activations": 300_000_000,
              "logits": 1_000_000_000, "buffers": 64_713_728},
    "phases": {"forward": 3_000_000_000, "backward": 4_000_000_000, "step": 2_000_000_000}, "device": "cuda", "seconds": 5.0,
    "peak_resident_bytes": 430_000_000,
}  # fmt: skip


def test_a_proof_is_predicted_and_traced_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced less predicted for every part; both sides sum to their peaks; JSON holds it all."""
    answered(monkeypatch, {"found": FOUND})
    training = sizeup.train(LLAMA)
    found = sizeup.prove_training(training)
    predicted = training.by_part()
    assert {part: found.buffers[part] - gap for part, gap in found.difference_bytes.items() if part in predicted} == predicted
    assert sum(found.buffers.values()) == found.peak_bytes
    assert found.predicted_peak_bytes == training.peak_bytes
    assert set(found.buffers) <= set(PARTS)
    assert json.loads(json.dumps(found.to_json()))["traced_layers"] == [4, 5]
    assert found.level == "proved"


def test_a_child_that_was_ended_is_asked_again_without_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that aborts on CUDA tensors is traced as CPU tensors, and the answer says so."""
    asked = answered(monkeypatch, {"aborted": True}, {"found": {**FOUND, "device": "cpu"}})
    found = sizeup.prove_training(sizeup.train(LLAMA))
    assert [question["device"] for question in asked] == ["cuda", "cpu"]
    assert found.notes == ("cpu",)


def test_an_error_of_the_libraries_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their first line, exit 6."""
    answered(monkeypatch, {"failed": "ValueError: no such thing", "log": ""})
    with pytest.raises(EngineFailed, match="no such thing") as error:
        sizeup.prove_training(sizeup.train(LLAMA))
    assert error.value.exit_code == 6


def test_a_family_that_transformers_does_not_know_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other people's code is never run: exit 5, with the library's version."""
    answered(monkeypatch, {"unknown": "chatglm"})
    with pytest.raises(Unavailable, match="has no class for chatglm"):
        sizeup.prove_training(sizeup.train(LLAMA))


def test_nulls_of_a_config_are_put_back() -> None:
    """The catalogue leaves nulls out of configs, where a library's default is another value: no window, no low rank of queries."""
    latent = MODELS["DeepSeek-V2-Lite"]
    asked = proof.question(sizeup.train(replace(latent, config={k: v for k, v in latent.config.items() if v is not None}), method="full"))
    assert asked["config"]["q_lora_rank"] is None
    assert proof.question(sizeup.train(MODELS["gemma-3-1b"]))["config"]["sliding_window"] == 512


def test_the_question_is_plain_and_holds_no_foreign_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON can carry it; other people's code and packed weights are left out."""
    model = replace(LLAMA, config={**LLAMA.config, "auto_map": {"x": "y"}, "quantization_config": {"bits": 4}})
    asked = proof.question(replace(sizeup.train(LLAMA, targets="qv"), model=model))
    assert json.loads(json.dumps(asked)) == asked
    assert not {"auto_map", "quantization_config"} & asked["config"].keys()
    assert {"q_proj", "v_proj", "c_attn"} <= set(asked["targets"])
    assert "k_proj" not in asked["targets"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_told_in_every_language(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Part by part, the difference, where the peak is and what is left out; no line wider than 80 cells."""
    answered(monkeypatch, {"found": {**FOUND, "device": "cpu"}})
    found = sizeup.prove_training(sizeup.train(LLAMA))
    for proof_ in (found, replace(found, traced_layers=(16,), notes=("towers", "whole"), peak_phase="step")):
        said = training_proof(Page(texts(language), 80, False, "iec"), proof_)
        assert max(cells(line) for line in said.splitlines()) <= 80
        assert "4,000,000,000 B" in said
        assert "1.0" in said


def test_the_verb_prints_the_answer_and_then_the_proof(sizeup: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """`train --prove`: text and one JSON document; without it no child is started."""
    asked = answered(monkeypatch, {"found": FOUND}, {"found": FOUND})
    path = tmp_path / "config.json"
    path.write_text(json.dumps(dict(LLAMA.config)))
    assert sizeup("train", str(path)).code == 0
    assert not asked
    said = sizeup("train", str(path), "--prove")
    assert said.code == 0
    assert said.out.index("nvidia-smi") < said.out.index("aten._log_softmax_backward_data")
    told = json.loads(sizeup("train", str(path), "--prove", "--json").out)
    assert told["proof"]["peak_bytes"] == FOUND["peak_bytes"]
    assert told["peak_bytes"] == told["proof"]["predicted_peak_bytes"]
    assert set(told["proof"]) == set(TrainingProof.__slots__) | {"difference"}


def test_without_a_compiler_there_is_no_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Neither a compiler nor another system's is an error: the trace then runs as CPU tensors."""
    monkeypatch.setattr(shim, "torch_folder", lambda: tmp_path)
    monkeypatch.setattr(shim.importlib.metadata, "version", lambda name: "2.13.0")
    (tmp_path / "version.py").write_text("cuda: Optional[str] = None\n")
    monkeypatch.setattr(shim.shutil, "which", lambda name: None)
    monkeypatch.setattr(shim.sys, "modules", {})
    assert shim.install() is False
    (tmp_path / "version.py").write_text("cuda: Optional[str] = '13.0'\n")
    assert shim.built_for_cuda()
    assert shim.install() is False


def test_parts_and_phases_are_known_ones() -> None:
    """A trace speaks of the breakdown's parts."""
    assert set(depth.PARTS) <= set(PARTS)
    assert child.resident_bytes() >= 0
