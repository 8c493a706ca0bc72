"""Answers to claims about memory for training, by `sizeup.train`: what is held before a step, what the process takes at its peak.

A claim of so many GB is true of some batches only. They are counted in sequences of 256 tokens, about an example of instruction
data: how many fit below the claim's upper figure, and from how many on its lower figure is passed, with checkpointing and without.
"""

from __future__ import annotations

import functools
from typing import Any

import sizeup
from sizeup.facts import data_json
from sizeup.figure import plain
from sizeup.model import ModelSpec
from sizeup.probe import table
from sizeup.training.parallel import Split
from sizeup.training.result import Training

from .page import Answer, answers

GB = 10**9
TOKENS = 256
MOST = 4096
"""Sequences in a batch: no larger one is looked at."""


def seven() -> ModelSpec:
    return _model("meta-llama/Llama-2-7b-hf")


def seventy() -> ModelSpec:
    return _model("meta-llama/Llama-3.1-70B")


_model = functools.cache(sizeup.read)


@functools.cache
def step(model: ModelSpec, method: str, batch: int = 1, **settings: Any) -> Training:
    """One step, with the defaults of `sizeup.train` otherwise: bf16, AdamW, checkpointing, rank 16 on every matrix of the blocks,
    fused attention; under QLoRA what is not quantised becomes fp32 (`kbit_prep`)."""
    return sizeup.train(model, method, micro_batch=batch, sequence_tokens=TOKENS, **settings)


def held(training: Training) -> int:
    """Bytes that are there whatever the batch: weights, adapters, gradients, optimizer states."""
    memory = training.memory
    return int(plain(memory.weights + memory.adapter + memory.gradients + memory.optimizer))


def most_sequences(model: ModelSpec, bytes: float, **settings: Any) -> int:
    """The largest batch whose process stays within these bytes; 0 when none does."""
    low, high = 0, MOST
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if step(model, batch=middle, **settings).process_bytes <= bytes else (low, middle - 1)
    return low


def batches(model: ModelSpec, low: float | None, high: float | None, **settings: Any) -> str:
    """The batches whose process takes from `low` to `high` bytes, in words; "" when there are none."""
    least = 1 if low is None else most_sequences(model, low - 1, **settings) + 1
    if high is None:
        return f"{least} sequences or more"
    most = most_sequences(model, high, **settings)
    if most < least:
        return ""
    return f"{least} to {most} sequences" if most > least > 1 else f"up to {most} sequences" if most > least else f"{most} sequences"


def right_for(model: ModelSpec, low: float | None, high: float | None, **settings: Any) -> str:
    """The batches for which a claim is right, with checkpointing and without; "" when there are none."""
    kept, made_again = (batches(model, low, high, checkpointing=on, **settings) for on in (False, True))
    found = ((made_again, "with checkpointing"), (kept, "without"))
    return ", or ".join(f"{batch} of {TOKENS} tokens {how}" for batch, how in found if batch)


def gb(count: float) -> str:
    return f"{count / GB:,.0f} GB" if count >= 100 * GB else f"{count / GB:,.1f} GB"


def _taken(model: ModelSpec, method: str, dtype: str = "bf16") -> str:
    """What is held, and the process at two batches."""
    one, sixteen = (step(model, method, batch, dtype=dtype) for batch in (1, 16))
    return (
        f"{gb(held(one))} are held; with checkpointing the process takes {gb(one.process_bytes)} for 1 sequence of {TOKENS} tokens, "
        f"{gb(sixteen.process_bytes)} for 16"
    )


def _cards(name: str, model: ModelSpec, counts: tuple[int, ...], **settings: Any) -> str:
    """The largest batch on each of so many cards that share weights and states (ZeRO 3)."""
    card = table.part(name)[0]
    told = []
    for count in counts:
        most = most_sequences(model, card.memory_bytes, split=Split(data=count, zero=3), **settings)
        told.append(f"{count} hold {most} sequences each" if most else f"{count} hold none")
    return f"{card.name} with ZeRO 3 and checkpointing: {', '.join(told)}"


@answers("G002-09")
def bytes_a_parameter(claim: dict[str, Any]) -> Answer:
    model = seven()
    each = {dtype: held(step(model, "full", dtype=dtype)) / model.parameters for dtype in ("fp32", "amp", "bf16-master", "bf16")}
    eighth = step(model, "full", optimizer="adamw8bit")
    assert round(each["fp32"], 2) == round(each["amp"], 2) == claim["low"]
    return Answer(
        f"fp32 {each['fp32']:.2f}, autocast {each['amp']:.2f}, pure bf16 {each['bf16']:.2f}, bf16 with 8-bit AdamW {held(eighth) / model.parameters:.2f}",
        f"right if weights, gradients and AdamW are all fp32, as under autocast too; wrong for pure bf16, which holds {each['bf16']:.0f}",
    )


@answers("G002-10")
def seventy_full(claim: dict[str, Any]) -> Answer:
    exact = held(step(seventy(), "full", dtype="fp32"))
    off = abs(exact / GB / claim["low"] - 1)
    assert off < 0.02
    return Answer(f"{gb(exact)} ({exact:,} B)", f"right within {off:.0%}")


@answers("G002-11")
def seventy_with_activations(claim: dict[str, Any]) -> Answer:
    return Answer(
        _taken(seventy(), "full", "fp32"),
        f"right if the batch is {right_for(seventy(), claim['low'] * GB, None, method='full', dtype='fp32')}",
    )


@answers("G002-12")
def seven_full(claim: dict[str, Any]) -> Answer:
    exact = held(step(seven(), "full", dtype="fp32"))
    off = abs(exact / GB / claim["low"] - 1)
    assert off < 0.05
    return Answer(
        f"{gb(exact)} ({exact:,} B) for {seven().parameters / 1e9:.2f}B parameters; "
        f"{_cards('A100 SXM4 80GB', seven(), (1, 2, 3), method='full', dtype='fp32')}",
        f"right within {off:.0%} for what is held: 112 GB is a model of exactly 7.0B",
    )


@answers("G002-13")
def seven_lora(claim: dict[str, Any]) -> Answer:
    return Answer(
        _taken(seven(), "lora"),
        f"right if the batch is {right_for(seven(), claim['low'] * GB, claim['high'] * GB, method='lora')}; smaller batches take less",
    )


@answers("G002-14")
def seventy_lora(claim: dict[str, Any]) -> Answer:
    return Answer(
        f"{_taken(seventy(), 'lora')}; {_cards('A100 SXM4 80GB', seventy(), (1, 2, 3), method='lora')}",
        f"right if the batch is {right_for(seventy(), None, claim['high'] * GB, method='lora')}",
    )


@answers("G002-15")
def seven_qlora(claim: dict[str, Any]) -> Answer:
    return Answer(
        _taken(seven(), "qlora"),
        f"right if the batch is {right_for(seven(), claim['low'] * GB, claim['high'] * GB, method='qlora')}; smaller batches take less",
    )


@answers("G002-16")
def seventy_qlora(claim: dict[str, Any]) -> Answer:
    linked = {row["name"] for row in data_json("nvlink.json")["have"]}
    assert [table.part(name)[0].name in linked for name in ("RTX 3090", "RTX 4090")] == [True, False]
    prepared, kept = (right_for(seventy(), None, claim["high"] * GB, method="qlora", kbit_prep=on) for on in (True, False))
    assert not prepared
    left = step(seventy(), "qlora", kbit_prep=False)
    return Answer(
        f"{_taken(seventy(), 'qlora')}; {gb(left.process_bytes)} for 1 if embeddings, norms and head stay in bf16 (`kbit_prep=False`), "
        f"of which {_cards('RTX 3090', seventy(), (2,), method='qlora', kbit_prep=False)}",
        f"right if `kbit_prep=False` and the batch is {kept}; wrong as PEFT prepares the model, and for NVLink on the RTX 4090, which has none",
    )


@answers("G002-31")
def against_inference(claim: dict[str, Any]) -> Answer:
    told, right = [], []
    for name, model in (("7B", seven()), ("70B", seventy())):
        for method in ("lora", "qlora"):
            one = step(model, method)
            alone = int(plain(step(model, method, kbit_prep=False).memory.weights))
            told.append(f"{name} {method} {one.process_bytes / alone:.2f}")
            right.append(f"{name} {method} {batches(model, claim['low'] * alone, claim['high'] * alone, method=method) or 'none'}")
    return Answer(
        f"process over the weights as they are stored, for 1 sequence of {TOKENS} tokens: {', '.join(told)}",
        f"right if the batch is, with checkpointing, so many sequences of {TOKENS} tokens: {', '.join(right)}; "
        "wrong as a rule, because activations and logits grow with the tokens of a step, not with the model",
    )
