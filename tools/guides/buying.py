"""Answers to claims about what to buy first, and about which small models there are and what for."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import sizeup
from sizeup.guide_tables import weights
from sizeup.hardware import Machine
from sizeup.probe import table
from sizeup.quality import Score, quality, score_of
from sizeup.search import longest_context
from sizeup.shortlist import listed
from sizeup.traits import of_row

from . import memory
from .page import Answer, answers
from .placed import FLUENT, READING, SIZES, box, model, on, pace_of, read, tell

GB = 10**9
MOBILE = ("125M", "350M", "600M", "1B", "1.5B")


@answers("G002-32")
def entry(claim: dict[str, Any]) -> Answer:
    found = [on("8B", box(name), "Q4_K_M") for name in ("RTX 3060 12GB", "RTX 4060 Ti 16GB")]
    assert all(one.whole and one.pace >= FLUENT for one in found)
    told = "; ".join(f"{one.plan.machine.name}: {tell(one)}, context up to {longest_context(one.plan):,} tokens" for one in found)
    more = [on("14B", one.plan.machine, "Q4_K_M") for one in found]
    assert all(one.whole and one.pace >= FLUENT for one in more)
    return Answer(f"{told}; {' and '.join(tell(one) for one in more)}", "right; both hold 14B in four bits as well")


@answers("G002-33")
def fine_tuning(claim: dict[str, Any]) -> Answer:
    room = box("RTX 4090").pools[-1].bytes
    most = {
        name: [memory.most_sequences(spec, room, method=method) for method in ("lora", "qlora")]
        for name, spec in (("7B", memory.seven()), ("8B", model("8B")))
    }
    plain = memory.most_sequences(memory.seven(), room, method="lora", checkpointing=False)
    assert most["7B"][0] > plain > 0
    told = "; ".join(f"{name} LoRA {lora}, QLoRA {qlora}" for name, (lora, qlora) in most.items())
    return Answer(
        f"sequences of {memory.TOKENS} tokens in a step within {room / GB:,.1f} GB, with checkpointing: {told}",
        f"right if checkpointing is on, for up to {most['7B'][0]} sequences of {memory.TOKENS} tokens; without it {plain}",
    )


@answers("G002-34")
def two_cards(claim: dict[str, Any]) -> Answer:
    room = 2 * box("RTX 3090").pools[-1].bytes
    one, left = memory.step(memory.seventy(), "qlora"), memory.step(memory.seventy(), "qlora", kbit_prep=False)
    assert left.process_bytes <= room < one.process_bytes
    runs = [on("70B", box(f"2x {name}"), "Q4_K_M") for name in ("RTX 3090", "RTX 4090")]
    assert all(each.whole for each in runs)
    return Answer(
        f"{one.process_bytes / GB:,.1f} GB for 1 sequence of {memory.TOKENS} tokens, {left.process_bytes / GB:,.1f} GB with `kbit_prep=False`; "
        f"the two cards have {room / GB:,.1f} GB; running it: {'; '.join(f'{each.plan.machine.name} {tell(each)}' for each in runs)}",
        "right if `kbit_prep=False` and the layers or their shards are spread over both (G002-16); as PEFT prepares the model it lacks "
        f"{(one.process_bytes - room) / GB:,.1f} GB",
    )


@answers("G002-35")
def mac(claim: dict[str, Any]) -> Answer:
    machines = [box(name) for name in ("M2 Max 64GB", "M4 Max 128GB", "M2 Ultra 192GB")]
    sparse, dense = [on("117B", one, "MXFP4_MOE") for one in machines], [on("123B", one, "Q4_K_M") for one in machines]
    assert not sparse[0].plan.fits
    assert not dense[0].plan.fits
    assert all(one.plan.fits for one in (*sparse[1:], *dense[1:]))
    cards = {size: next(o for o in sizeup.machines(SIZES[size], rent=False, limit=100) if o.usd) for size in ("117B", "123B")}
    away = cards["117B"].plan.settings.cpu_moe_layers
    assert away
    ultra = table.part("M5 Ultra")[0]
    assert ultra.launch_usd
    assert not any(table.part(name)[0].launch_usd for name in ("M2 Max", "M2 Ultra", "M4 Max"))
    told = "; ".join(f"{one.plan.machine.name}: {tell(one)}, {tell(other)}" for one, other in zip(sparse, dense, strict=True))
    other = "; ".join(f"{size} {o.machine.name}, {o.usd:,.0f} USD at launch, {pace_of(o.plan)}" for size, o in cards.items())
    return Answer(
        f"{told}; the cheapest cards with a reading pace: {other}; no price of these Macs is known to us, "
        f"the nearest is the M5 Ultra from {ultra.launch_usd:,.0f} USD, with its smallest memory",
        f"right if it has 128 GB or more and the model is dense, which takes {cards['123B'].machine.name} otherwise; a mixture such as gpt-oss-120b runs on {cards['117B'].machine.name} too, "
        f"the experts of {away} layers in RAM",
    )


def _doubled(machine: Machine) -> Iterator[tuple[str, Machine]]:
    """The machine with one thing twice as much, in the order of the claim."""
    card, ram = machine.pools[-1], machine.pools[0]
    device = machine.devices[0]
    yield "VRAM", replace(machine, pools=(ram, replace(card, bytes=2 * card.bytes, free_bytes=2 * card.free_bytes)))
    yield "its bandwidth", replace(machine, pools=(ram, replace(card, bytes_per_s=2 * (card.bytes_per_s or 0))))
    yield "RAM", replace(machine, pools=(replace(ram, bytes=2 * ram.bytes, free_bytes=2 * ram.free_bytes), card))
    yield "RAM bandwidth", replace(machine, pools=(replace(ram, bytes_per_s=2 * (ram.bytes_per_s or 0)), card))
    yield "GPU arithmetic", replace(machine, devices=(replace(device, flops_per_s=2 * (device.flops_per_s or 0)),))


@answers("G001-17")
def order(claim: dict[str, Any]) -> Answer:
    base = box("RTX 4060", 16)
    changed = dict(_doubled(base))
    ratios = {what: on("14B", one, "Q4_K_M").pace / on("14B", base, "Q4_K_M").pace for what, one in changed.items()}
    larger = {what: on("32B", one, "Q4_K_M") for what, one in (("none", base), *changed.items())}
    assert ratios["VRAM"] == max(ratios.values()) > ratios["RAM bandwidth"] > ratios["GPU arithmetic"]
    assert not larger["none"].plan.fits
    newly = [what for what, one in larger.items() if one.plan.fits]
    prompts = [on("8B", one, "Q4_K_M").plan.speed.prefill for one in (base, changed["GPU arithmetic"])]
    assert prompts[0]
    assert prompts[1]
    sooner = prompts[1].tokens_per_s / prompts[0].tokens_per_s
    file = weights(model("14B"), "Q4_K_M") / GB
    return Answer(
        f"14B Q4_K_M on an RTX 4060 with 16 GiB, one thing doubled, decodes so many times as fast: "
        f"{', '.join(f'{what} {ratio:.2f}' for what, ratio in ratios.items())}; 32B Q4_K_M then fits with {' or '.join(newly)}; "
        f"8B, whole on the card, reads a prompt {sooner:.2f} times as fast with GPU arithmetic doubled; the disk is read once, {file:.1f} GB",
        "right for VRAM first and RAM next, which decide what runs; but the bandwidth of either stands before arithmetic, which decoding hardly waits for",
    )


def _scores(low: float, high: float) -> list[tuple[Score, str]]:
    """Reasoning scores of the models of so many billion parameters that somebody ran or that their makers report, best first."""
    found = []
    for one in listed():
        if low * GB <= one.parameters <= high * GB:
            score = score_of(of_row(one.facts, one.parameters, one.active_parameters), one.id, "reasoning")
            if score.basis != "estimated":
                found.append((score, one.id.partition("/")[2]))
    return sorted(found, key=lambda pair: -pair[0].value)


@answers("G003-05")
def classes(claim: dict[str, Any]) -> Answer:
    bands = {"1.5B to 4.5B": _scores(1.5, 4.5), "6.5B to 9.5B": _scores(6.5, 9.5)}
    small, middle = bands.values()
    median = statistics.median(score.value for score, _ in middle)
    beats = sum(score.value > median for score, _ in small)
    told = "; ".join(
        f"{name}: {len(each)} models, {each[-1][0].value:.0f} ({each[-1][1]}) to {each[0][0].value:.0f} ({each[0][1]})"
        for name, each in bands.items()
    )
    within, between = (middle[0][0].value - each[0].value for each in (middle[-1], small[0]))
    assert within > between
    return Answer(
        f"scores in reasoning on the scale of MMLU-Pro, not estimated: {told}",
        f"right if they are of one generation too: within the larger class the scores are {within:.0f} apart, the best of both classes {between:.0f}; "
        f"{beats} of the smaller are above the middle ({median:.0f}) of the larger",
    )


@answers("G004-08")
def mobile(claim: dict[str, Any]) -> Answer:
    exact = {size: read(f"facebook/MobileLLM-{size}").parameters for size in MOBILE}
    named = dict(zip(MOBILE, (125e6, 350e6, 600e6, 1e9, 1.5e9), strict=True))
    off = max(abs(count / named[size] - 1) for size, count in exact.items())
    assert off < 0.02
    return Answer(", ".join(f"{size} {count:,}" for size, count in exact.items()), f"right within {off:.1%}: all five are in the catalogue")


@answers("G004-10")
def small(claim: dict[str, Any]) -> Answer:
    names = {"0.6B": "Qwen/Qwen3-0.6B", "1.7B": "Qwen/Qwen3-1.7B", "32B": "Qwen/Qwen3-32B"}
    scores = {size: quality(read(name), "rag") for size, name in names.items()}
    assert all(score.task == "general" for score in scores.values())
    context = {name: read(name).context_tokens for name in ("Qwen/Qwen3-1.7B", "facebook/MobileLLM-1B")}
    decode = on("1B", box("i7-1165G7", 16), "Q4_K_M")
    assert decode.pace > READING
    return Answer(
        f"Qwen3 in general, on the scale of MMLU-Pro: {', '.join(f'{size} {score.value:.0f} ({score.lower:.0f} to {score.upper:.0f})' for size, score in scores.items())}; "
        f"context: {', '.join(f'{name} {tokens:,}' for name, tokens in context.items())}; {tell(decode)} on a {decode.plan.machine.name}",
        f"right if the text fits the context, which {context['facebook/MobileLLM-1B']:,} tokens often are too few for; no benchmark that we have "
        "speaks for these tasks, and what the model must know itself it knows less of",
    )
