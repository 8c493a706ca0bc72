"""Answers to claims about programs that run models, one measurement under Ollama, and browsers.

Of browsers sizeup knows nothing yet: bytes to download and to hold follow from the model, what a tab may use does not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sizeup
from sizeup.facts import data_json
from sizeup.figure import plain
from sizeup.plan import Breakdown
from sizeup.quant import quant

from .memory import GB, gb
from .page import Answer, answers
from .weights import FOUR, stored

FACTS: dict[str, Any] = json.loads(Path(__file__).with_name("facts.json").read_bytes())
MODEL = "llama3.1:8b"
ZEN4 = ("avx2", "avx512f", "avx512_vnni", "fma", "f16c")
"""What the measured processor computes with; it decides which rows llama.cpp repacks."""


def alone(name: str, mix: str | None = None, context: int = 2048, **settings: Any) -> Breakdown:
    """A process on a processor alone."""
    model = sizeup.read(name)
    return sizeup.account(model, quant=mix or model.mix, context_tokens=context, cpu_features=ZEN4, **settings)


def _bytes(found: Breakdown, *parts: str) -> int:
    return sum(int(plain(found.kept_bytes(part))) for part in parts) if parts else int(plain(found.kept_bytes()))


@answers("G001-15")
@answers("G001-16")
def programs(claim: dict[str, Any]) -> Answer:
    model = sizeup.read(MODEL)
    card = sizeup.account(model, quant=FOUR, context_tokens=4096, gpu_layers="all", cpu_features=())
    mine = alone(MODEL, FOUR, 4096, repack=False)
    tags = len(data_json("ollama_tags.json")["latest"])
    return Answer(
        f"{model.name}, {FOUR}, context 4,096, f16 cache, in llama.cpp: a file of {gb(stored(model, FOUR))}, "
        f"{gb(int(plain(card.bytes(pool='vram:0'))))} of a card, or {gb(_bytes(mine))} of RAM without one"
        + (f"; sizeup reads Ollama's tags, {tags} families by their short name" if claim["id"] == "G001-15" else ""),
        "right if the model fits, which neither a command nor a click tells; how easy a program is was not measured",
    )


@answers("G004-02")
def whole_machine(claim: dict[str, Any]) -> Answer:
    name, today = "gemma2:2b", FACTS["ollama"]
    cases = (
        (f"one slot of {today['context_tokens']:,} tokens", alone(name, None, today["context_tokens"], sequences=today["sequences"])),
        ("four slots of 2,048", alone(name, None, 4 * 2048, sequences=4)),
    )
    told, left = [], []
    for case, found in cases:
        kept = _bytes(found)
        dropped = int(plain(found.bytes())) - kept
        left += [claim["low"] - (kept + dropped) / GB, claim["low"] - kept / GB]
        told.append(
            f"{case}: cache {_bytes(found, 'cache') / GB:.2f}, buffers {_bytes(found, 'compute', 'output') / GB:.2f}, "
            f"process {_bytes(found, 'process') / GB:.2f}, in all {kept / GB:.2f}, or {(kept + dropped) / GB:.2f} if the originals of "
            f"repacked rows stay in memory"
        )
    weights = _bytes(cases[0][1], "weights", "repacked")
    model = sizeup.read(name)
    return Answer(
        f"GB of {model.name}, {model.mix}, f16 cache, CPU alone (AVX-512): weights {weights / GB:.2f}; {'; '.join(told)}",
        f"right if the system and all else in the VM use the remaining {min(left):.1f} to {max(left):.1f} GB: what they use, Ollama's version and "
        "its settings were not told, and the model alone cannot be read off the figure of a whole machine",
    )


@answers("G003-01")
def gemma_download(claim: dict[str, Any]) -> Answer:
    model = sizeup.read("google/gemma-2b")
    bare = model.parameters / 2
    assert abs(bare / GB / claim["low"] - 1) < 0.05
    found = alone(model.name, "Q4_0", repack=False)
    return Answer(
        f"{model.name}: {model.parameters:,} parameters, {bare / GB:.2f} GB at four bits and no scales; llama.cpp's Q4_0 "
        f"{stored(model, 'Q4_0') / GB:.2f} GB, which takes {gb(_bytes(found))} of RAM at a context of 2,048 on a processor alone",
        f"right within {claim['low'] * GB / bare - 1:.0%} if every weight has four bits; what a tab may hold and how fast it runs there is not known here",
    )


@answers("G003-02")
def distilbert_download(claim: dict[str, Any]) -> Answer:
    model = sizeup.read("distilbert/distilbert-base-uncased")
    off = abs(model.parameters / 1e6 / claim["low"] - 1)
    assert off < 0.02
    kind = quant("Q8_0")
    return Answer(
        f"{model.name}: {model.parameters:,} parameters, so {model.parameters / 1e6:.1f} MB of int8; {stored(model, 'Q8_0') / 1e6:.1f} MB in "
        f"{kind.name} ({kind.block_bytes} bytes for {kind.block} weights), {stored(model, 'F16') / 1e6:.1f} MB in F16",
        "right if a weight has one byte: 67 million parameters, 67 MB; scales, graph and tokenizer, and the program itself, come on top",
    )


@answers("G003-03")
def beforehand(claim: dict[str, Any]) -> Answer:
    model = sizeup.read("google/gemma-2b")
    plans = [
        sizeup.fit(model, machine, quant="Q4_0", context_tokens=2048, cpu_features=())[0] for machine in ("raspberry-pi-5-8gb", "RTX 4060")
    ]
    told = []
    for plan in plans:
        assert plan.fits
        assert plan.speed.decode
        low, high = plan.speed.decode.lower, plan.speed.decode.upper
        told.append(f"{plan.machine.name} holds it, {low:.0f} to {high:.0f} tokens/s")
    return Answer(
        f"`sizeup fit`, {model.name}, Q4_0, context 2,048, f16 cache: a download of {gb(stored(model, 'Q4_0'))}; {'; '.join(told)}",
        "wrong because size, fit and speed follow from the model's layers and the device before a byte is downloaded; "
        "right still if the program is to be a page in a browser: sizeup has none, and what a tab may use is not known here",
    )


@answers("G004-09")
def nano(claim: dict[str, Any]) -> Answer:
    fact = FACTS["gemini_nano"]
    told = " or ".join(f"{count / 1e9:.2f}B parameters, {count * fact['bits'] / 8 / GB:.1f} GB" for count in fact["parameters"])
    return Answer(
        f"as first published: {told} at {fact['bits']} bits and no scales",
        "right if it is this model still: the weights of today's are not published, so neither its size, its memory nor its speed is known here",
    )
