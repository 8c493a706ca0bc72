"""Answers to claims about memory for inference: what llama.cpp takes on a card, by context, and which machines hold it.

"With what the system needs" is read as all that the process takes of the card: weights, cache, compute buffers and the driver's part.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import sizeup
from sizeup.facts import data_json
from sizeup.figure import plain
from sizeup.hardware import Disk, Machine
from sizeup.model import ModelSpec
from sizeup.plan import Plan
from sizeup.throughput import load_s

from .memory import GB, gb, seven, seventy
from .page import Answer, answers
from .weights import FOUR, stored

CONTEXT = 8192
STEP = 256

EIGHT = "meta-llama/Meta-Llama-3-8B"
SEVENTY = "meta-llama/Meta-Llama-3-70B"
MIXTRAL = "mistralai/Mixtral-8x7B-v0.1"

CLAIMED: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "G002-17": (EIGHT, (FOUR, "IQ4_XS"), ("RTX 3060 12GB", "RTX 4060")),
    "G002-18": (EIGHT, ("Q8_0",), ()),
    "G002-19": (EIGHT, ("F16",), ()),
    "G002-20": (SEVENTY, (FOUR, "IQ4_XS"), ("2x RTX 3090", "RTX 6000 Ada")),
    "G002-21": (SEVENTY, ("Q8_0",), ()),
    "G002-22": (SEVENTY, ("F16",), ()),
    "G002-23": (MIXTRAL, (FOUR, "IQ4_XS"), ("RTX 6000 Ada", "Mac Studio M2 Ultra 64GB")),
    "G002-24": (MIXTRAL, ("Q8_0",), ()),
    "G002-25": (MIXTRAL, ("F16",), ()),
}
"""Claim -> the model, the mixes that it may mean, the usual one first, and the machines that it names."""


def on_card(model: ModelSpec, mix: str, context: int = CONTEXT, part: str | None = None) -> int:
    """Bytes of one card, or of one part there, when all layers are on it: f16 cache, one sequence, the driver's share included."""
    found = sizeup.account(model, quant=mix, context_tokens=context, gpu_layers="all", cpu_features=())
    return int(plain(found.bytes(part, "vram:0")))


def longest(model: ModelSpec, mix: str, bytes: float) -> int:
    """The largest context, in steps of 256 and within the model's own, that stays within so many bytes of a card; 0 when none does."""
    low, high = 0, (model.context_tokens or CONTEXT) // STEP
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if on_card(model, mix, middle * STEP) <= bytes else (low, middle - 1)
    return low * STEP


def on(model: ModelSpec, mix: str, machine: str, **settings: Any) -> Plan:
    """All layers on the machine's cards, if nothing else is said; no host rows repacked, whatever processor the page is written on."""
    given = {"gpu_layers": "all", "context_tokens": CONTEXT, "cpu_features": (), **settings}
    return sizeup.fit(model, machine, quant=mix, **given)[0]


def held(plan: Plan) -> str:
    """Whether a machine holds it, with the room left on its fullest card."""
    room = min(free for pool, free in plan.free_bytes.items() if pool != "ram" or len(plan.free_bytes) == 1)
    speed = f", {plan.speed.decode.tokens_per_s:.0f} tokens/s" if plan.speed.decode and plan.fits else ""
    return f"{plan.machine.name} {'holds it' if plan.fits else 'does not hold it'} ({gb(room)} left{speed})"


def taken(claim: dict[str, Any]) -> Answer:
    """Right up to the context where a card's bytes pass the claim; wrong where no context stays below it."""
    name, mixes, machines = CLAIMED[claim["id"]]
    model = sizeup.read(name)
    told = [f"{mix} {gb(on_card(model, mix))} on a card, {gb(on_card(model, mix, part='weights'))} of it weights" for mix in mixes]
    told += [held(on(model, mixes[0], machine)) for machine in machines]
    figures = f"{model.name}, context {CONTEXT:,}, f16 cache: {'; '.join(told)}"
    room = {mix: longest(model, mix, claim["low"] * GB) for mix in mixes}
    good = [f"{mix} with a context up to {tokens:,}" for mix, tokens in room.items() if tokens]
    bad = [f"{mix} takes {gb(on_card(model, mix, STEP))} with a context of {STEP}" for mix, tokens in room.items() if not tokens]
    if not good:
        return Answer(figures, f"wrong because {', '.join(bad)} already")
    return Answer(figures, f"right if it is {' or '.join(good)}" + (f"; {', '.join(bad)} already" if bad else ""))


for _name in CLAIMED:
    answers(_name)(taken)


@answers("G004-03")
def nemotron(claim: dict[str, Any]) -> Answer:
    model = sizeup.read("nvidia/Llama-3.1-Nemotron-70B-Instruct-HF")
    plans = [on(model, "BF16", machine) for machine in ("4x A100 40GB", "2x A100 80GB")]
    assert all(plan.fits for plan in plans)
    size = stored(model, "BF16")
    assert size <= claim["low"] * GB
    return Answer(
        f"{model.name}, BF16, context {CONTEXT:,}, f16 cache, layers split: {'; '.join(map(held, plans))}; weights on the disk {gb(size)}",
        f"right; {gb(claim['low'] * GB - size)} of the disk stay free",
    )


@answers("G004-04")
def phi(claim: dict[str, Any]) -> Answer:
    model = sizeup.read("microsoft/phi-4")
    plan = on(model, "BF16", "RTX A6000")
    assert plan.fits
    size, host = stored(model, "BF16"), int(plain(plan.breakdown.bytes(pool="ram")))
    assert size <= claim["low"] * GB
    return Answer(
        f"{model.name} ({model.parameters / 1e9:.2f}B), BF16, context {CONTEXT:,}, f16 cache: {held(plan)}; weights on the disk {gb(size)}; "
        f"host memory {gb(host)}",
        f"right for card and disk; {gb(host)} of RAM are needed, the rest of the 48 GB keeps the file cached",
    )


@answers("G004-05")
def phone(claim: dict[str, Any]) -> Answer:
    model = sizeup.read("microsoft/Phi-3-mini-4k-instruct")
    needed = {tokens: int(plain(sizeup.account(model, quant=FOUR, context_tokens=tokens, repack=False).bytes())) for tokens in (1024, 4096)}
    told = ", ".join(f"{gb(count)} at a context of {tokens:,}" for tokens, count in needed.items())
    return Answer(
        f"{model.name}, {FOUR}, f16 cache, CPU alone, nothing repacked: {told}; weights {gb(stored(model, FOUR))}",
        f"right if the phone leaves an app {gb(needed[1024])}; how much it leaves, and how fast it is, is not known here: no iPhone 14 is in the table of devices",
    )


@answers("G004-06")
def gemma(claim: dict[str, Any]) -> Answer:
    model = sizeup.read("google/gemma-2b")
    plans = [on(model, "F16", machine) for machine in ("RTX 4060", "GTX 1060 6GB")]
    assert all(plan.fits for plan in plans)
    return Answer(
        f"{model.name}, F16, context {CONTEXT:,}, its longest, f16 cache: {gb(on_card(model, 'F16'))} on a card; {'; '.join(map(held, plans))}",
        "right, though 6 GB do as well when nothing else is on the card",
    )


@answers("G002-26")
def pages(claim: dict[str, Any]) -> Answer:
    row = next(row for row in data_json("text_rates.json")["kinds"] if row["kind"] == "english")
    told, each = [], {}
    for model in (seven(), sizeup.read("meta-llama/Llama-3.1-8B"), sizeup.read("Qwen/Qwen3-14B"), seventy()):
        bytes = int(plain(sizeup.account(model, quant=FOUR, context_tokens=CONTEXT).bytes("cache"))) // CONTEXT
        each[model.name] = int(claim["low"] * GB / bytes)
        told.append(f"{model.name} {bytes:,} B a token, {each[model.name]:,} tokens")
    tokens = each["meta-llama/Llama-3.1-8B"]
    return Answer(
        f"cache of F16 and the tokens that fill 10 GB: {'; '.join(told)}",
        f"right if a page has {tokens // 100} tokens with Llama-3.1-8B, about {tokens / 100 * row['middle']:,.0f} characters of English at "
        f"{row['middle']} a token; a q8_0 cache takes 34 bytes where f16 takes 64. Tokens of a video depend on frames that the claim does not name",
    )


@answers("G000-03")
def beyond_the_card(claim: dict[str, Any]) -> Answer:
    machine = sizeup.machine("RTX 4090", ram="64GiB")
    split = sizeup.fit(seventy(), machine, quant=FOUR, context_tokens=CONTEXT, cpu_features=())[0]
    whole = on(seventy(), FOUR, "RTX 4090")
    assert split.fits
    assert not whole.fits
    assert split.speed.decode
    assert whole.speed.decode
    slow, fast = split.speed.decode.tokens_per_s, whole.speed.decode.tokens_per_s
    rate = next(pool.bytes_per_s or 0 for pool in machine.pools if pool.name == "ram")
    return Answer(
        f"{seventy().name}, {FOUR}, context {CONTEXT:,}, f16 cache, RTX 4090 and 64 GiB of RAM read at {rate / GB:.0f} GB/s (assumed): {split.settings.gpu_layers} of "
        f"{seventy().layers + 1} layers on the card, {slow:.1f} tokens/s; {fast:.0f} if the card could hold it all",
        f"right: {fast / slow:.0f} times slower here, because each token reads the rest from RAM",
    )


@answers("G000-04")
def disks(claim: dict[str, Any]) -> Answer:
    told, seconds = [], {}
    rates = {"0.5 GB/s": 0.5 * GB, "5 GB/s": 5.0 * GB}
    for model in (sizeup.read("meta-llama/Llama-3.1-8B"), sizeup.read("Qwen/Qwen3-14B"), seventy()):
        found = sizeup.account(model, quant=FOUR, context_tokens=CONTEXT, cpu_features=())
        for name, rate in rates.items():
            seconds[name] = load_s(_with_disk(sizeup.machine("RTX 4090"), rate), found) or 0.0
        told.append(f"{model.name} {gb(stored(model, FOUR))}, {', '.join(f'{s:.1f} s at {name}' for name, s in seconds.items())}")
    return Answer(
        f"from a cold disk, {FOUR}: {'; '.join(told)}",
        "right if the file is not in the system's cache any more; then the disk's rate is what is waited for",
    )


def _with_disk(machine: Machine, bytes_per_s: float) -> Machine:
    return dataclasses.replace(machine, disks=(Disk("/", 0, 0, bytes_per_s=bytes_per_s),))
