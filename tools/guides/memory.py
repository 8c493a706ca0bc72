"""Answers to claims about memory for training: what is held whatever the batch, exactly, and what that leaves for activations.

Bytes a weight: fp32 4, bf16 2, NF4 with double quantisation 1/2 + 1/64 + 4/16384 (QLoRA, arXiv:2305.14314: a byte for 64 weights, four
for 256 of those); AdamW keeps two numbers a trained weight. LoRA: rank 16 on every matrix of the blocks, trained in fp32 (PEFT's default);
under QLoRA everything outside the blocks is fp32 (`prepare_model_for_kbit_training`).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from sizeup import read
from sizeup.facts import data_json
from sizeup.model import ModelSpec
from sizeup.probe import table

from .page import Answer, answers

GB = 10**9
RANK = 16
FP32, BF16 = 4, 2
NF4 = Fraction(1, 2) + Fraction(1, 64) + Fraction(4, 16384)
TRAINED = FP32 + FP32 + 2 * FP32
"""A trained fp32 weight, its gradient and AdamW's two numbers."""


class Held(NamedTuple):
    """Bytes that a step holds from beginning to end, by method."""

    full: int
    lora: int
    qlora: int
    bf16: int
    nf4: int
    """Weights alone, as inference would hold them."""


def seven() -> Held:
    return held(read("meta-llama/Llama-2-7b-hf"))


def seventy() -> Held:
    return held(read("meta-llama/Llama-3.1-70B"))


def held(model: ModelSpec) -> Held:
    """What each method holds for a model of plain blocks."""
    matrices = [
        (group.layers, shape)
        for group in model.groups
        for part in group.block.parts
        for _, shape in part.stored(model.hidden)
        if len(shape) == 2
    ]
    inside = sum(layers * row * rows for layers, (row, rows) in matrices)
    adapters = sum(layers * RANK * (row + rows) for layers, (row, rows) in matrices)
    outside = model.parameters - inside
    quantised = int(inside * NF4)
    return Held(
        TRAINED * model.parameters,
        BF16 * model.parameters + TRAINED * adapters,
        quantised + FP32 * outside + TRAINED * adapters,
        BF16 * model.parameters,
        quantised + BF16 * outside,
    )


def _gb(count: float) -> str:
    return f"{count / GB:,.0f} GB" if count >= 100 * GB else f"{count / GB:,.1f} GB"


def _left(held: int, claim: dict[str, Any]) -> str:
    """The room that a claim leaves for activations."""
    low, high = claim["low"] * GB - held, claim["high"] * GB - held
    return _gb(low) if low == high else f"{low / GB:,.1f} to {_gb(high)}"


@answers("G002-09")
def bytes_a_parameter(claim: dict[str, Any]) -> Answer:
    assert claim["low"] == TRAINED
    pure, eighth = 4 * BF16, 2 * BF16 + 2 * (1 + 4 / 256)
    return Answer(
        f"{TRAINED} = 4 weight + 4 gradient + 8 AdamW; pure bf16 {pure}; bf16 with 8-bit AdamW {eighth:.2f}",
        "right if weights, gradients and AdamW are all fp32, as under autocast too; half of it in pure bf16",
    )


@answers("G002-10")
def seventy_full(claim: dict[str, Any]) -> Answer:
    exact = seventy().full
    assert abs(exact / GB / claim["low"] - 1) < 0.02
    return Answer(f"{_gb(exact)} ({exact:,} B)", f"right within {abs(exact / GB / claim['low'] - 1):.0%}")


@answers("G002-11")
def seventy_with_activations(claim: dict[str, Any]) -> Answer:
    room = claim["low"] * GB - seventy().full
    return Answer(
        f"{_gb(seventy().full)} are held; {_gb(room)} more make 1.5 TB", f"right if activations and logits of all devices take {_gb(room)}"
    )


@answers("G002-12")
def seven_full(claim: dict[str, Any]) -> Answer:
    card, exact = table.part("A100 SXM4 80GB")[0].memory_bytes, seven().full
    assert card < exact < 2 * card
    return Answer(
        f"{_gb(exact)} ({exact:,} B); two A100 80GB have {_gb(2 * card)}",
        f"right within {abs(exact / GB / claim['low'] - 1):.0%}: 112 GB is a model of exactly 7.0B; two cards hold it if the rest of them takes the activations",
    )


@answers("G002-13")
def seven_lora(claim: dict[str, Any]) -> Answer:
    exact = seven().lora
    return Answer(
        f"{_gb(exact)} are held (weights {_gb(seven().bf16)})",
        f"right if activations and logits take {_left(exact, claim)}; held alone it is {_gb(exact)}",
    )


@answers("G002-14")
def seventy_lora(claim: dict[str, Any]) -> Answer:
    exact, card = seventy().lora, table.part("A100 SXM4 80GB")[0].memory_bytes
    assert card < exact < 2 * card
    return Answer(
        f"{_gb(exact)} are held; two A100 80GB have {_gb(2 * card)}", f"right if activations and logits take {_left(exact, claim)}"
    )


@answers("G002-15")
def seven_qlora(claim: dict[str, Any]) -> Answer:
    exact = seven().qlora
    return Answer(
        f"{_gb(exact)} are held (weights in NF4 {_gb(seven().nf4)})",
        f"right if activations and logits take {_left(exact, claim)}, which is more than is held: the batch and the sequence decide",
    )


@answers("G002-16")
def seventy_qlora(claim: dict[str, Any]) -> Answer:
    exact = seventy().qlora
    cards = [table.part(name)[0] for name in ("RTX 3090", "RTX 4090")]
    linked = {row["name"] for row in data_json("nvlink.json")["have"]}
    assert [card.name in linked for card in cards] == [True, False]
    return Answer(
        f"{_gb(exact)} are held; two RTX 3090 have {_gb(2 * cards[0].memory_bytes)}",
        f"right if activations and logits stay below {_left(exact, claim)}; wrong for NVLink on the RTX 4090, which has none",
    )


@answers("G002-31")
def against_inference(claim: dict[str, Any]) -> Answer:
    each = {"7B": seven(), "70B": seventy()}
    told = "; ".join(f"{name}: LoRA {h.lora / h.bf16:.2f}, QLoRA {h.qlora / h.nf4:.2f}" for name, h in each.items())
    low = min(min(h.lora / h.bf16, h.qlora / h.nf4) for h in each.values())
    assert low < claim["low"]
    return Answer(
        f"what is held over the weights alone: {told}",
        f"right if the batch is small; wrong as a rule, because held memory alone is from {low:.2f} times, and activations grow with the tokens of a step, not with the model",
    )
