"""Answers to claims about weights: bytes a parameter, files on disk, few bits, and ways to make a model smaller."""

from __future__ import annotations

from typing import Any

import sizeup
from sizeup.figure import plain
from sizeup.mixes import mixes
from sizeup.model import ModelSpec
from sizeup.quant import quant
from sizeup.quant_loss import kept

from .memory import GB, gb, seven, seventy, step
from .page import Answer, answers

FOUR = "Q4_K_M"
"""The usual mix of four bits."""


def one() -> ModelSpec:
    return sizeup.read("meta-llama/Llama-3.2-1B")


def stored(model: ModelSpec, mix: str) -> int:
    """Bytes of the weights in llama.cpp's file of this mix, without its header."""
    engine = sizeup.account(model, quant=mix, context_tokens=256, repack=False)
    return int(plain(engine.bytes("weights")))


def _each(model: ModelSpec, mix: str) -> str:
    return f"{stored(model, mix) / model.parameters:.3f}"


BITS = {"G002-01": "F32", "G002-02": "F16", "G002-03": "Q8_0", "G002-04": "Q4_0"}
BITS |= dict(zip(("G002-05", "G002-06", "G002-07", "G002-08"), tuple(BITS.values()), strict=True))
"""Claim -> the format of llama.cpp that comes nearest to what it calls fp32, fp16, int8 or int4."""


def _weights(claim: dict[str, Any], model: ModelSpec, name: str) -> Answer:
    """Weights of a real model in the format and, of four bits, in the usual mix; against the claim a parameter."""
    kind = quant(BITS[claim["id"]])
    says = claim["low"] / (7 if name == "7B" else 1)
    each = stored(model, kind.name) / model.parameters
    told = [f"{mix} {stored(model, mix):,} B, {_each(model, mix)} a parameter" for mix in (kind.name, FOUR)[: 1 + (says < 1)]]
    figures = f"{model.name} ({model.parameters:,} parameters): {'; '.join(told)}"
    if kind.block == 1:
        assert abs(each / says - 1) < 0.001
        return Answer(figures, f"right within 0.1% for exactly {'7' if name == '7B' else '1'}.0B parameters")
    scale = f"{kind.name} stores {kind.block_bytes} bytes for {kind.block} weights, scale included"
    rest = ", and head or embedding get more bits" if kind.name == "Q4_0" else ""
    return Answer(figures, f"right if the numbers alone are counted; {scale}{rest}, so the file is {each / says - 1:.0%} larger")


@answers("G002-01")
@answers("G002-02")
@answers("G002-03")
@answers("G002-04")
def a_parameter(claim: dict[str, Any]) -> Answer:
    return _weights(claim, one(), "1B")


@answers("G002-05")
@answers("G002-06")
@answers("G002-07")
@answers("G002-08")
def seven_billion(claim: dict[str, Any]) -> Answer:
    return _weights(claim, seven(), "7B")


@answers("G001-10")
def seven_on_disk(claim: dict[str, Any]) -> Answer:
    sizes = {mix: stored(seven(), mix) / GB for mix in ("Q4_0", "Q4_K_S", FOUR)}
    assert claim["low"] <= sizes[FOUR] <= claim["high"]
    told = ", ".join(f"{mix} {size:.2f} GB" for mix, size in sizes.items())
    return Answer(f"{seven().name}: {told}", f"right if the mix is {FOUR}; the plainer ones take less")


@answers("G004-01")
def gemma_download(claim: dict[str, Any]) -> Answer:
    model = sizeup.read("gemma2:2b")
    size = stored(model, str(model.mix)) / GB
    assert claim["low"] <= size <= claim["high"]
    return Answer(f"{model.name} in {model.mix}, as Ollama's tag stores it: {stored(model, str(model.mix)):,} B", "right")


@answers("G004-07")
def gemma_disk(claim: dict[str, Any]) -> Answer:
    family = [sizeup.read(f"google/gemma-2-{size}") for size in ("2b", "9b", "27b")]
    told = [f"{model.name} {', '.join(f'{mix} {gb(stored(model, mix))}' for mix in ('Q4_0', 'Q8_0', 'F16'))}" for model in family]
    every = ((model, mix) for model in family for mix in mixes() if mix not in BITS.values())
    model, near = min(every, key=lambda pair: abs(stored(*pair) / GB - claim["low"]))
    usual = sizeup.read("gemma2:9b")
    return Answer(
        "; ".join(told),
        f"wrong because Ollama's gemma2 is the 9B in {usual.mix}, {gb(stored(usual, str(usual.mix)))}; size and format are not said, "
        f"and of all mixes {near} of {model.name} comes nearest, {gb(stored(model, near))}",
    )


@answers("G001-18")
def few_bits(claim: dict[str, Any]) -> Answer:
    told = []
    for name, model in (("7B", seven()), ("70B", seventy())):
        for mix in (FOUR, "Q3_K_M", "Q2_K", "IQ2_XS"):
            left = kept(model, mix)
            told.append(f"{name} {mix} {gb(stored(model, mix))}, keeps {left.share:.0%} ({left.lower:.0%} to {left.upper:.0%})")
    four, two = (kept(seven(), mix) for mix in (FOUR, "Q2_K"))
    assert two.share < min(four.share, kept(seventy(), "Q2_K").share)
    return Answer(
        f"share of a task's score against 16 bits, by losses measured on Llama 3 8B and scaled to the size: {'; '.join(told)}",
        f"right: Q2_K saves a 7B {1 - stored(seven(), 'Q2_K') / stored(seven(), FOUR):.0%} beside {FOUR}; the larger the model, the less it loses",
    )


@answers("G003-04")
def five_ways(claim: dict[str, Any]) -> Answer:
    full, lora = step(seven(), "full"), step(seven(), "lora")
    large, small = (sizeup.read(f"deepseek-ai/DeepSeek-R1{name}") for name in ("", "-Distill-Llama-8B"))
    tied = sizeup.read("google/gemma-2-2b")
    assert tied.head.tied
    return Answer(
        f"LoRA: a step of 256 tokens on 7B in bf16 takes {gb(lora.process_bytes)} instead of {gb(full.process_bytes)}; quantising: 7B F16 "
        f"{gb(stored(seven(), 'F16'))}, {FOUR} {gb(stored(seven(), FOUR))}; distilling, in {FOUR}: {large.name} {gb(stored(large, FOUR))}, "
        f"{small.name} {gb(stored(small, FOUR))}; sharing: {tied.name}'s head is its embedding, {gb(2 * tied.vocabulary * tied.hidden)} of F16 "
        f"once instead of twice; pruning: {stored(one(), 'F16') / one().parameters:.2f} bytes a parameter of F16, zero or not",
        f"right if pruning takes out whole rows or layers, for zeros are stored too; LoRA saves in training only, and an adapter of rank 16 "
        f"that is not merged adds {lora.memory.adapter / GB:.2f} GB in inference",
    )


@answers("G002-36")
def five_parts(claim: dict[str, Any]) -> Answer:
    train = step(seven(), "full", 16)
    run = sizeup.account(seven(), quant=FOUR, context_tokens=4096, gpu_layers="all", cpu_features=())

    def told(parts: dict[str, Any]) -> str:
        return ", ".join(f"{part} {int(plain(count)) / GB:.2f}" for part, count in parts.items() if int(plain(count)) >= GB / 100)

    return Answer(
        f"GB of {seven().name}. Training, all of it in bf16, 16 sequences of 256 tokens, at the peak: {told(train.breakdown.by_part())}. "
        f"Inference, {FOUR}, context 4,096, f16 cache, all on a card: {told(run.by_part())}",
        "right if training and inference are put together: training keeps no cache, inference neither gradients nor optimizer; "
        "working buffers, logits, the process and the driver come on top",
    )
