"""Answers to claims about tiers of machines: which sizes run on a described machine of each, in which mix, how fast."""

from __future__ import annotations

from typing import Any

from sizeup.hardware import Machine
from sizeup.outline import outline, room
from sizeup.shortlist import listed

from . import memory
from .page import Answer, answers
from .placed import CONTEXT, FLUENT, READING, USUAL, box, enough, on, reached, tell, way
from .placed import table as told


@answers("G001-01")
def laptop(claim: dict[str, Any]) -> Answer:
    small, usual = box("Iris Xe", 8), box("Iris Xe", 16)
    return Answer(told(("1B", "3B", "8B"), (small, usual)), enough(("1B", "3B", "8B"), (small, usual)))


@answers("G001-02")
def entry_card(claim: dict[str, Any]) -> Answer:
    machines = [box(name, 16) for name in ("RTX 3050 Laptop", "RTX 4050 Laptop", "RTX 4060 Laptop")]
    verdict = enough(("8B",), machines, FLUENT)
    assert verdict.startswith("right if")
    assert not any(on("14B", one, "Q4_K_M").whole for one in machines)
    return Answer(
        told(("8B", "14B"), machines),
        f"{verdict}; at {READING:g} tokens/s {reached(('14B',), machines)}, in four bits only with layers in RAM",
    )


@answers("G001-03")
def middle_laptop(claim: dict[str, Any]) -> Answer:
    machines = [box(name, 16) for name in ("RTX 3060 Laptop", "RTX 4060 Laptop", "RTX 4080 Laptop", "RTX 4090 Laptop")]
    return Answer(told(("8B", "14B", "30B-A3B", "32B"), machines), _thirty(("8B", "14B"), machines))


@answers("G001-04")
def board(claim: dict[str, Any]) -> Answer:
    machines = [box(f"raspberry-pi-{which}") for which in ("4-4gb", "4-8gb", "5-8gb")]
    fastest = max(way("8B", one).pace for one in machines)
    return Answer(
        told(("1B", "3B", "8B"), machines),
        f"{enough(('1B',), machines)}; {reached(('3B', '8B'), machines)}: an 8B model writes at most {fastest:.1f} tokens/s",
    )


@answers("G001-05")
def apple(claim: dict[str, Any]) -> Answer:
    machines = [box(name) for name in ("m1-8gb", "m2-16gb", "m1-pro-32gb", "m3-max-64gb")]
    return Answer(told(("3B", "8B", "32B", "70B"), machines), enough(("3B", "8B", "32B", "70B"), machines))


@answers("G001-06")
def middle_desktop(claim: dict[str, Any]) -> Answer:
    machines = [box(name, 16) for name in ("RTX 4060", "RTX 4060 Laptop", "RTX 4060 Ti 16GB")]
    here, laptop = (on("8B", one, "Q4_K_M").pace for one in machines[:2])
    return Answer(
        f"{told(('8B', '14B', '30B-A3B', '32B'), machines)}; the RTX 4060 decodes 8B {here / laptop:.2f} times as fast as its laptop sister",
        _thirty(("8B", "14B"), machines),
    )


@answers("G001-07")
def upper_desktop(claim: dict[str, Any]) -> Answer:
    machines = [box(name, 32) for name in ("RTX 4070", "RTX 4070 Ti", "RTX 4080")]
    return Answer(told(("14B", "30B-A3B", "32B"), machines), _thirty(("14B",), machines))


@answers("G001-08")
def largest_card(claim: dict[str, Any]) -> Answer:
    machines = [box(name, 32) for name in ("RTX 3090", "RTX 4090", "RTX 6000 Ada")]
    counts = {one.name: _held(one) for one in (machines[0], machines[-1])}
    whole = ", ".join(f"{name} {held:,} of {len(listed()):,}" for name, held in counts.items())
    return Answer(
        f"{told(('32B', '70B'), machines)}; catalogue models whole on the card in Q4_K_M or their own four bits: {whole}",
        f"{enough(('32B', '70B'), machines)}; most of the catalogue fits either size of card",
    )


def _held(machine: Machine) -> int:
    """Catalogue models that lie whole on a card in four bits."""
    where = room(machine, CONTEXT)
    outlined = (
        outline(one, mix, where, min(CONTEXT, one.facts["context"] or CONTEXT))
        for one in listed()
        if (mix := next((m for m in one.mixes() if m in (USUAL, "MXFP4_MOE")), None))
    )
    return sum(found.fits and found.placed == "cards" for found in outlined)


@answers("G001-09")
def server(claim: dict[str, Any]) -> Answer:
    cards = ("A100 SXM4 80GB", "H100 SXM")
    native = {size: _fewest(size, cards[0], "F16") for size in ("32B", "70B", "179B")}
    four = {size: _fewest(size, cards[0], "Q4_K_M") for size in ("70B", "179B")}
    assert native["32B"] == four["70B"] == 1 < native["70B"] < native["179B"]
    alone = [tell(on(size, box(card, 64), mix)) for card in cards for size, mix in (("32B", "F16"), ("70B", "Q4_K_M"))]
    full, adapted = (memory.held(memory.step(memory.seventy(), "full", dtype="fp32")), memory.step(memory.seventy(), "qlora").process_bytes)
    small = box("A100 PCIe 40GB", 64)
    assert adapted < 80e9 < full
    return Answer(
        f"{cards[0]}: {', '.join(alone[:2])}; {cards[1]}: {', '.join(alone[2:])}; A100 80GB needed in F16: "
        f"{', '.join(f'{size} {count}' for size, count in native.items())}; in Q4_K_M: {', '.join(f'{size} {count}' for size, count in four.items())}; "
        f"{small.name}: {tell(way('32B', small))}; training 70B holds {full / 1e9:,.0f} GB in full, takes {adapted / 1e9:.1f} GB by QLoRA",
        f"right if so many are joined: 175B in 16 bits is {native['179B']} cards of 80 GB, 70B {native['70B']}; one card holds 32B so, 70B in four bits, and trains 70B by QLoRA only",
    )


def _thirty(sizes: tuple[str, ...], machines: list[Machine]) -> str:
    """The verdict on "up to about 30B": of experts, which may lie in RAM, or dense."""
    assert all(way(size, one).runs(READING) for size in (*sizes, "30B-A3B") for one in machines)
    assert not any(way("32B", one).runs(READING) for one in machines)
    return (
        f"right if the 30B is a mixture of experts, at {READING:g} tokens/s in four bits: {reached((*sizes, '30B-A3B', '32B'), machines)}"
    )


def _fewest(size: str, card: str, mix: str) -> int:
    """Cards, each tried with 64 GiB of RAM, that hold all of a model."""
    return next(count for count in range(1, 17) if on(size, box(f"{count}x {card}" if count > 1 else card, 64), mix).whole)
