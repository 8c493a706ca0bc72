"""Laws of training memory: one formula for all kinds of numbers, monotony, and sentences for what cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

import sizeup
from sizeup.errors import UserError
from sizeup.figure import STEPS, leaf, plain
from sizeup.readers.config import spec_from_config
from sizeup.training import answer, planned
from sizeup.training.parallel import Split

CONFIGS = json.loads((Path(__file__).parent / "data" / "train_configs.json").read_text())
LLAMA = spec_from_config(CONFIGS["Llama-3.2-1B"], "Llama-3.2-1B")
MOE = spec_from_config(CONFIGS["Qwen3-30B-A3B"], "Qwen3-30B-A3B")

FORMULAS: dict[str, tuple[Any, ...]] = {
    "stored_weight": ((5000,), (2,)),
    "nf4_weight": ((70000,),),
    "nf4_single_weight": ((70000,),),
    "int8_weight": ((70000, 700),),
    "optimizer_state": ((5000,), (2, 2)),
    "optimizer_8bit_state": ((5000,), (2,)),
    "optimizer_factored_state": ((300, 500),),
    "optimizer_low_rank_state": ((500, 300, 128), (2,)),
    "factored_update": ((150000, 300), (2,)),
    "flash_workspace": ((2, 1000, 8, 64, 64), (True,)),
    "sharded": ((1001, 8),),
    "gathered_blocks": ((100, 150),),
    "tensor_parallel_activations": ((340, 4),),
    "pipeline_activations": ((1000, 4, 8, 2),),
    "frozen_model": ((1000,), (2,)),
    "teacher_logits": ((10, 100),),
    "adapter_flops": ((100, 20, 30, 7),),
}
"""Arguments of every step: numbers, then flags."""


@pytest.mark.parametrize("name", FORMULAS)
def test_int_equals_figure_equals_column(name: str) -> None:
    """A training formula gives the same number for ints, figures and columns."""
    numbers, flags = (*FORMULAS[name], ())[:2]
    assert answer  # importing it registers the formulas
    assert planned
    expected = STEPS[name](*numbers, *flags)
    figure = STEPS[name](*(leaf(str(i), n) for i, n in enumerate(numbers)), *flags)
    assert plain(figure) == expected
    assert figure.name == name
    assert STEPS[name](*(numpy.array([n]) for n in numbers), *flags).tolist() == [expected]


def test_gradients_of_earlier_micro_batches_stay_to_the_step() -> None:
    """Kept gradients are there while the optimizer works: no less than where the last micro-batch makes all of them."""
    kept, fresh = (sizeup.train(LLAMA, method="full", optimizer="adafactor", sequence_tokens=64, accumulate=on) for on in (True, False))
    assert kept.memory.end_parts["gradients"] == fresh.memory.end_parts["gradients"] == fresh.memory.gradients
    assert kept.peak_bytes >= fresh.peak_bytes


@pytest.mark.parametrize("change", [{"micro_batch": 2}, {"sequence_tokens": 4096}, {"rank": 64}, {"accumulate": True}])
def test_more_never_needs_less(change: dict[str, Any]) -> None:
    """A larger batch, sequence or rank, or gradients kept from before, takes at least as much."""
    assert sizeup.train(LLAMA, **change).peak_bytes >= sizeup.train(LLAMA).peak_bytes


@pytest.mark.parametrize("loss", ["chunked", "trl"])
@pytest.mark.parametrize("device", ["cuda", "cpu"])
@pytest.mark.parametrize("dtype", ["bf16", "amp", "fp32"])
def test_logits_in_pieces_take_less_than_all_at_once(loss: str, device: str, dtype: str) -> None:
    """Liger's and TRL's output projections never hold all logits: the peak is lower, its parts are still its sum."""
    pieces = sizeup.train(LLAMA, method="lora", dtype=dtype, loss=loss, device=device, micro_batch=8)
    assert sum(pieces.by_part().values()) == pieces.peak_bytes
    assert pieces.peak_bytes < sizeup.train(LLAMA, method="lora", dtype=dtype, device=device, micro_batch=8).peak_bytes


@pytest.mark.parametrize("method", ["full", "lora", "rslora", "dora", "qlora", "lora8bit", "freeze", "prompt"])
def test_parts_sum_to_the_peak(method: str) -> None:
    """Every method's parts are its peak; checkpointing never takes more."""
    training = sizeup.train(LLAMA, method=method)
    assert sum(training.by_part().values()) == training.peak_bytes
    assert training.peak_bytes <= sizeup.train(LLAMA, method=method, checkpointing=False).peak_bytes
    assert training.peak_bytes < training.allocated_bytes < training.reserved_bytes < training.process_bytes


@pytest.mark.parametrize("name", ["Llama-3.2-1B", "gemma-3-1b", "DeepSeek-V2-Lite"])
@pytest.mark.parametrize("checkpointing", [True, False])
def test_one_block_stands_for_all_like_it(monkeypatch: pytest.MonkeyPatch, name: str, checkpointing: bool) -> None:
    """Going through one block of each kind gives the peak, its parts and its cause as going through every block does, to the byte."""
    from sizeup.training import step

    model = spec_from_config(CONFIGS[name], name)

    def peaks() -> list[Any]:
        asked = [(method, dtype) for method in ("full", "lora", "qlora", "freeze") for dtype in ("bf16", "amp")]
        found = [sizeup.train(model, method=method, dtype=dtype, checkpointing=checkpointing) for method, dtype in asked]
        return [(training.peak_bytes, training.memory.peak, training.by_part(), training.site) for training in found]

    one = peaks()
    monkeypatch.setattr(step, "alike", lambda kind, x: object())
    assert one == peaks()


def test_zero_stages_shard_one_state_after_another() -> None:
    """Optimizer states, then gradients, then weights; offload moves what rests to the host."""
    stages = [sizeup.train(LLAMA, method="full", split=Split(data=8, zero=zero)) for zero in range(4)]
    parts = [stage.by_part() for stage in stages]
    assert parts[1]["optimizer"] * 8 == pytest.approx(parts[0]["optimizer"], rel=1e-6)
    assert parts[2]["gradients"] * 8 == pytest.approx(parts[1]["gradients"], rel=1e-6)
    assert parts[3]["weights"] < parts[2]["weights"]
    assert [stage.source.kind for stage in stages] == ["derived"] * 4
    offloaded = sizeup.train(LLAMA, method="full", split=Split(data=8, zero=1, offload="cpu"))
    assert offloaded.by_part().get("optimizer", 0) == 0
    assert offloaded.host_bytes > 0


def test_virtual_stages_keep_more_as_published() -> None:
    """Korthikanti et al.: with m pieces a stage the first of p stages keeps L (1 + (p - 1) / (p m)) layers, L without."""
    from sizeup.training.parallel import pipeline_activations

    for stages, pieces in ((2, 2), (4, 2), (8, 4)):
        whole = 2 * stages * pieces * 1000
        assert pipeline_activations(whole, stages, 64, 1) == whole
        assert pipeline_activations(whole, stages, 64, pieces) == whole * (1 + (stages - 1) / (stages * pieces))
        assert pipeline_activations(whole, stages, 1, pieces) == whole // stages
    plain = sizeup.train(LLAMA, method="full", checkpointing=False, split=Split(pipeline=4, micro_batches=16))
    woven = sizeup.train(LLAMA, method="full", checkpointing=False, split=Split(pipeline=4, micro_batches=16, interleave=2))
    assert woven.by_part()["activations"] == pytest.approx(plain.by_part()["activations"] * (1 + 3 / 8), rel=1e-6)
    assert woven.source.kind == "derived"


def test_gathered_blocks_are_as_wide_as_they_are_stored() -> None:
    """A rank of very many holds little but two gathered blocks: of a base in NF4 less than a byte a parameter."""
    many = Split(data=1_000_000, zero=3)
    block = 2 * LLAMA.groups[0].block.parameters(LLAMA.hidden)
    quantised = sizeup.train(LLAMA, method="qlora", split=many).by_part()["weights"]
    assert 0.5 * block < quantised < block < sizeup.train(LLAMA, method="lora", split=many).by_part()["weights"]


def test_preference_pairs_and_teachers_take_more() -> None:
    """DPO doubles the sequences and keeps a reference, PPO three models, distillation a teacher with its logits."""
    plain_step = sizeup.train(LLAMA, method="full").peak_bytes
    assert plain_step < sizeup.train(LLAMA, method="full", algorithm="dpo").peak_bytes
    assert sizeup.train(LLAMA, method="full", algorithm="dpo").peak_bytes < sizeup.train(LLAMA, method="full", algorithm="ppo").peak_bytes
    assert sizeup.train(LLAMA, algorithm="distill", teacher=LLAMA).by_part()["logits"] > sizeup.train(LLAMA).by_part()["logits"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"micro_batch": 0}, ("0",)),
        ({"sequence_tokens": 0}, ("0",)),
        ({"sequence_tokens": 200_000}, ("200000", "131072")),
        ({"rank": 3000}, ("3000", "512")),
        ({"rank": 0}, ("0",)),
        ({"targets": "conv"}, ("conv",)),
        ({"method": "qlra"}, ("qlra",)),
        ({"dtype": "bf61"}, ("bf61",)),
        ({"optimizer": "adam"}, ("adam",)),
        ({"unknown": 1}, ("unknown",)),
        ({"dropout": 1.5}, ("1.5",)),
        ({"algorithm": "distill"}, ("teacher",)),
        ({"split": Split(tensor=3)}, ("32", "3")),
        ({"split": Split(tensor=16)}, ("8", "16")),
        ({"split": Split(pipeline=5)}, ("16", "5")),
        ({"split": Split(context=3)}, ("2048", "3")),
        ({"split": Split(expert=2)}, ("experts",)),
        ({"split": Split(zero=4)}, ("4",)),
        ({"split": Split(pipeline=4, interleave=3)}, ("16", "4", "3")),
        ({"split": Split(interleave=2)}, ("2", "1")),
        ({"split": Split(pipeline=4, interleave=0)}, ("0", "4")),
        ({"split": Split(pipeline=4, interleave=2, micro_batches=6)}, ("6", "4")),
        ({"split": Split(pipeline=4, micro_batches=0)}, ("0",)),
        ({"split": Split(data=2, zero=1, offload="gpu")}, ("gpu",)),
        ({"split": Split(data=0)}, ("0",)),
        ({"method": "freeze", "trained_layers": 99}, ("16", "99")),
    ],
)
def test_what_cannot_be_is_one_sentence_with_both_numbers(settings: dict[str, Any], words: tuple[str, ...]) -> None:
    """The error names which number clashes with which, and what to try."""
    with pytest.raises(UserError) as error:
        sizeup.train(LLAMA, **settings)
    assert all(word in error.value.message for word in words)
    assert error.value.hint


def test_experts_are_split_only_evenly() -> None:
    """128 experts go over 8 devices, not over 7."""
    assert sizeup.train(MOE, method="full", split=Split(expert=8)).peak_bytes < sizeup.train(MOE, method="full").peak_bytes
    with pytest.raises(UserError, match="128 experts"):
        sizeup.train(MOE, method="full", split=Split(expert=7))


AFMOE = {
    "model_type": "afmoe", "vocab_size": 8192, "hidden_size": 1024, "num_hidden_layers": 8, "num_dense_layers": 1, "intermediate_size": 3072,
    "moe_intermediate_size": 256, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 128, "num_experts": 16,
    "num_experts_per_tok": 4, "num_shared_experts": 1, "max_position_embeddings": 8192, "sliding_window": 2048,
    "layer_types": [*["sliding_attention"] * 3, "full_attention"] * 2, "tie_word_embeddings": False, "mup_enabled": True,
}  # fmt: skip
AFMOE_PEAK = 1_687_391_232


def test_gates_sinks_and_biases_are_trained() -> None:
    """Output gates of their own matrix (AFMoE), sinks and experts' biases (gpt-oss) are weights like others: each has its gradient."""
    for model, buffers in ((sizeup.read("openai/gpt-oss-20b"), 0), (spec_from_config(AFMOE, "afmoe"), 7 * 16)):
        memory = sizeup.train(model, method="full", sequence_tokens=128).memory
        assert memory.parameters == memory.trained == model.parameters - buffers
        assert memory.end_parts["gradients"] >= 2 * memory.trained


def test_a_gate_is_what_a_traced_step_takes() -> None:
    """AFMoE's step of 1,024 tokens, all weights trained, nothing made again: as transformers 5.23 allocates under fake tensors."""
    found = sizeup.train(spec_from_config(AFMOE, "afmoe"), method="full", sequence_tokens=1024, checkpointing=False)
    assert abs(found.peak_bytes / AFMOE_PEAK - 1) < 0.0001
