"""Real models on described machines, for answers about tiers: the largest mix that a card holds, its pace, and on which machines that is enough.

A size class is answered by one model with grouped heads, 8,192 tokens of context or the model's own limit. The RAM of a described machine
is written beside its card, since what a card cannot hold lies there.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sizeup
from sizeup.choice import kept_share
from sizeup.engines import engine
from sizeup.facts import data_json
from sizeup.hardware import Machine
from sizeup.markets import Wishes, planned
from sizeup.model import ModelSpec
from sizeup.plan import Plan

CONTEXT = 8192
LADDER = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M", "Q2_K", "IQ2_XXS")
"""Mixes from the most bits to the fewest."""
USUAL = "Q4_K_M"
READING = float(data_json("paces.json")["reading_tokens_per_s"])
FLUENT = float(next(row["from_tokens_per_s"] for row in data_json("paces.json")["steps"] if row["feeling"] == "fluent"))

SIZES = {
    "1B": "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    "3B": "meta-llama/Llama-3.2-3B-Instruct",
    "8B": "meta-llama/Llama-3.1-8B",
    "14B": "Qwen/Qwen3-14B",
    "30B-A3B": "Qwen/Qwen3-30B-A3B",
    "32B": "Qwen/Qwen3-32B",
    "70B": "meta-llama/Llama-3.1-70B",
    "117B": "openai/gpt-oss-120b",
    "123B": "mistralai/Mistral-Large-Instruct-2407",
    "179B": "tiiuae/falcon-180B",
}
read = functools.cache(sizeup.read)


@functools.cache
def box(name: str, ram: int | None = None) -> Machine:
    """A described machine with so many GiB of RAM; None leaves what its name says."""
    return sizeup.machine(name, ram=f"{ram}GiB" if ram else None)


class Way(NamedTuple):
    """How a size runs on a machine."""

    size: str
    plan: Plan
    whole: bool
    """All of it where the machine computes fastest: on the cards, or in the one memory that there is."""

    @property
    def pace(self) -> float:
        """Tokens a second, the middle; 0 where it does not fit."""
        decode = self.plan.speed.decode
        return decode.tokens_per_s if self.plan.fits and decode else 0.0

    def runs(self, floor: float) -> bool:
        """At this pace in four bits or more, which is what guides count by."""
        return self.pace >= floor and LADDER.index(self.plan.quant) <= LADDER.index("IQ4_XS")


def model(size: str) -> ModelSpec:
    return read(SIZES[size])


@functools.cache
def on(size: str, machine: Machine, mix: str, context: int = CONTEXT) -> Way:
    """The fastest placement of one mix."""
    spec = model(size)
    plan = planned(spec, machine, engine("llama.cpp"), mix, Wishes(context_tokens=min(context, spec.context_tokens or context)))
    assert plan is not None
    settings = plan.settings
    together = not machine.devices or machine.pool("ram") is None
    return Way(size, plan, plan.fits and (together or (settings.gpu_layers == "all" and not settings.cpu_moe_layers)))


@functools.cache
def way(size: str, machine: Machine) -> Way:
    """The most bits that lie whole on the card and are read fluently; else the usual mix, whole or split, if it keeps a reading pace; else
    fewer bits, whole; else what fits; else the shortfall of the usual mix."""
    more, fewer = LADDER[: LADDER.index(USUAL) + 1], LADDER[LADDER.index(USUAL) + 1 :]
    usual = on(size, machine, USUAL)
    if usual.whole:
        return next((one for mix in more if (one := on(size, machine, mix)).whole and one.pace >= FLUENT), usual)
    if usual.pace >= READING:
        return usual
    each = [on(size, machine, mix) for mix in fewer]
    whole = next((one for one in each if one.whole and one.pace >= READING), None)
    return whole or (usual if usual.plan.fits else next((one for one in each if one.plan.fits), usual))


def pace_of(plan: Plan) -> str:
    """Tokens a second with their 80 % interval."""
    decode = plan.speed.decode
    if not plan.fits or decode is None:
        return "no pace known"
    digits = 0 if decode.tokens_per_s >= 10 else 1
    low, middle, high = (f"{rate:,.{digits}f}" for rate in (decode.lower, decode.tokens_per_s, decode.upper))
    return f"{middle} ({low} to {high}) tokens/s"


def tell(found: Way) -> str:
    """Mix, place, pace."""
    plan, settings = found.plan, found.plan.settings
    name = f"{found.size} {plan.quant}"
    if not plan.fits:
        short = sum(-free for free in plan.free_bytes.values() if free < 0)
        return f"{name} lacks {short / 1e9:,.1f} GB"
    split = "" if found.whole else f" with {settings.gpu_layers} of {plan.model.layers + 1} layers on the card"
    if not found.whole and settings.gpu_layers == "all":
        split = f" with the experts of {settings.cpu_moe_layers} layers in RAM"
    few = plan.quant in LADDER and LADDER.index(plan.quant) > LADDER.index(USUAL)
    left = f", {kept_share(plan.model, plan.quant, settings):.0%} of its quality kept" if few else ""
    return f"{name}{split} {pace_of(plan)}{left}"


def called(machine: Machine) -> str:
    """Its name with the memory that it has beside the cards."""
    ram = machine.pool("ram")
    return f"{machine.name} + {ram.bytes >> 30} GiB" if ram and machine.devices else machine.name


def reached(sizes: Sequence[str], machines: Sequence[Machine], floor: float = READING) -> str:
    """On which machines each size keeps this pace in four bits or more; beside them, where it does in fewer only."""
    told = []
    for size in sizes:
        found = [way(size, one) for one in machines]
        runs = _which([one.plan.machine.name for one in found if one.runs(floor)], len(machines))
        fewer = [f"{one.plan.machine.name} in {one.plan.quant}" for one in found if one.pace >= floor and not one.runs(floor)]
        told.append(f"{size} on {runs}" + (f" (on {', '.join(fewer)})" if fewer else ""))
    return "; ".join(told)


def table(sizes: Sequence[str], machines: Iterable[Machine]) -> str:
    """Every size on every machine."""
    return "; ".join(f"{called(one)}: {', '.join(tell(way(size, one)) for size in sizes)}" for one in machines)


def enough(sizes: Sequence[str], machines: Sequence[Machine], floor: float = READING) -> str:
    """A verdict on "these sizes run on these machines": at this pace on all, on some, or of one size on none."""
    where = {size: [way(size, one).runs(floor) for one in machines] for size in sizes}
    told = f"{floor:g} tokens/s in four bits: {reached(sizes, machines, floor)}"
    if all(all(each) for each in where.values()):
        return f"right at {told}"
    missing = [size for size, each in where.items() if not any(each)]
    return (
        f"wrong because {' and '.join(missing)} runs so on none, at {told}"
        if missing
        else f"right if the machine is one that is named, at {told}"
    )


def _which(names: Sequence[str], of: int) -> str:
    return "all" if len(names) == of else ", ".join(names) or "none"


def least_ram(size: str, card: str, mix: str = USUAL) -> Way | None:
    """On the machine with the least RAM (data/preference.json's sizes) that runs a mix beside a card; None when none does."""
    sizes = data_json("preference.json")["memory_sizes_gib"]
    return next((found for gib in sizes if (found := on(size, box(card, gib), mix)).plan.fits), None)
