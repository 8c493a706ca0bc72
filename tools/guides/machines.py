"""Answers to claims about kinds of machines: at home, one memory for all, on the edge, without a card, with an NPU, rented; and about RAM."""

from __future__ import annotations

from typing import Any

import sizeup
from sizeup.engines.llamacpp.settings import kinds
from sizeup.guide_tables import weights
from sizeup.offers import break_even_hours, launch_price, rentals
from sizeup.probe.table import parts

from .page import Answer, answers
from .placed import READING, SIZES, box, called, enough, least_ram, model, on, pace_of, reached, table, tell


@answers("G000-01")
def two_bytes(claim: dict[str, Any]) -> Answer:
    each = {
        mix: [weights(model(size), mix) / model(size).parameters for size in ("1B", "8B", "70B")]
        for mix in ("F16", "Q8_0", "Q4_K_M", "Q4_0")
    }
    assert all(round(ratio, 2) == claim["low"] for ratio in each["F16"])
    told = ", ".join(
        f"{mix} {min(ratios):.2f}" + (f" to {max(ratios):.2f}" if max(ratios) - min(ratios) > 0.005 else "") for mix, ratios in each.items()
    )
    return Answer(
        f"GB per billion parameters, 1B to 70B: {told}",
        f"right for 16 bits; eight bits are {max(each['Q8_0']):.2f} and not 1, four bits {min(each['Q4_0']):.2f} and more, not a half",
    )


def _least(size: str, card: str, mix: str = "Q4_K_M") -> tuple[str, int]:
    """What runs with the least RAM, in words, and that RAM in GiB."""
    found = least_ram(size, card, mix)
    assert found is not None
    ram = found.plan.machine.pool("ram").bytes >> 30
    return f"{tell(found)} from {ram} GiB on", ram


@answers("G000-02")
def ram_beside(claim: dict[str, Any]) -> Answer:
    told = {
        (card, size): _least(size, card) for card, sizes in (("RTX 4060", ("14B", "32B")), ("RTX 4090", ("32B", "70B"))) for size in sizes
    }
    needs = {f"{size} on the {card}": ram for (card, size), (_, ram) in told.items()}
    assert max(needs.values()) <= claim["low"]
    mixture, more = _least("117B", "RTX 4090", "MXFP4_MOE")
    assert more > claim["low"]
    return Answer(
        "; ".join((*(f"{card}: {words}" for (card, _), (words, _) in told.items()), f"RTX 4090: {mixture}")),
        f"right if the card does not hold the model: 70B in four bits beside an RTX 4090 takes {needs['70B on the RTX 4090']} GiB; "
        f"32B, which fits it whole, takes {needs['32B on the RTX 4090']}, and gpt-oss-120b takes {more}",
    )


@answers("G001-11")
def ram_when_small(claim: dict[str, Any]) -> Answer:
    needs = {size: _least(size, "RTX 4060 Laptop") for size in ("8B", "14B", "30B-A3B", "32B")}
    assert max(ram for _, ram in needs.values()) <= claim["high"]
    fits = [size for size, (_, ram) in needs.items() if ram <= claim["low"]]
    return Answer(
        f"beside 8 GB: {'; '.join(words for words, _ in needs.values())}",
        f"right: {claim['low']} GiB are enough for {', '.join(fits)}, {max(ram for _, ram in needs.values())} GiB for all",
    )


@answers("G000-05")
def at_home(claim: dict[str, Any]) -> Answer:
    offers = [offer for offer in sizeup.machines(SIZES["70B"], rent=False, limit=100) if offer.plan.fits]
    cheapest = offers[0]
    whole = min((offer for offer in offers if offer.kind == "whole"), key=lambda one: one.machine.pool("unified").bytes)
    told = "; ".join(
        f"{offer.machine.name} {pace_of(offer.plan)}" + (f", {offer.usd:,.0f} USD of cards at launch" if offer.usd else "")
        for offer in (cheapest, whole)
    )
    return Answer(
        f"Llama-3.1-70B in {cheapest.plan.quant}, machines that read it at {READING:g} tokens/s: {told}",
        f"wrong because {cheapest.machine.name} or one {whole.machine.name} is enough in four bits; right in 16 bits, "
        f"which are {weights(model('70B'), 'F16') / 1e9:,.0f} GB",
    )


@answers("G000-06")
def one_memory(claim: dict[str, Any]) -> Answer:
    machines = [box(name) for name in ("m2-16gb", "m3-max-64gb", "M2 Ultra 192GB", "DGX Spark")]
    sizes = ("8B", "14B", "32B", "70B", "123B", "179B")
    largest = {one.name: [size for size in sizes if on(size, one, "Q4_K_M").plan.fits][-1] for one in machines}
    told = "; ".join(
        f"{one.name} ({one.pools[0].free_bytes / 1e9:,.0f} GB usable): {tell(on(largest[one.name], one, 'Q4_K_M'))}" for one in machines
    )
    slow = [one.name for one in machines if on(largest[one.name], one, "Q4_K_M").pace < READING]
    assert slow
    return Answer(
        told, f"right for what loads; how fast it is follows the bandwidth: its largest is below reading pace on {', '.join(slow)}"
    )


@answers("G000-07")
def edge(claim: dict[str, Any]) -> Answer:
    machines = [box(name) for name in ("a17 pro", "Snapdragon 8 Gen 3", "jetson-orin-nano-8gb", "raspberry-pi-4-4gb")]
    return Answer(table(("1B", "3B"), machines), enough(("1B",), machines) + f"; {reached(('3B',), machines)}")


@answers("G001-12")
def npu(claim: dict[str, Any]) -> Answer:
    known = [part for part in parts() if part.kind == "npu"]
    assert known
    assert "npu" not in kinds()
    with_rate = [part for part in known if part.int8_ops]
    top = max(with_rate, key=lambda part: part.int8_ops or 0)
    laptop = on("8B", box("Snapdragon X Elite", 16), "Q4_K_M")
    return Answer(
        f"{len(known)} NPUs in the device table, up to {(top.int8_ops or 0) / 1e12:,.0f} TOPS ({top.name}); backends of llama.cpp that are "
        f"planned for: {', '.join(kinds())}; without it {called(laptop.plan.machine)} has {tell(laptop)}, bound by {laptop.plan.speed.decode.bound_by}",
        "right if a program is made for this NPU; llama.cpp's usual builds do not use it, and decoding waits for the memory, which it shares",
    )


@answers("G001-13")
def no_card(claim: dict[str, Any]) -> Answer:
    machines = [box(name, 16) for name in ("i7-1165G7", "Iris Xe")]
    verdict, more = enough(("8B",), machines), box("i7-1165G7", 32)
    assert verdict.startswith("right at")
    assert on("30B-A3B", more, "Q4_K_M").runs(READING)
    return Answer(
        f"{table(('3B', '8B', '14B'), machines)}; the former with 32 GiB: {tell(on('30B-A3B', more, 'Q4_K_M'))}",
        f"{verdict}; {reached(('14B',), machines)}; but a mixture of experts of 30B with 3B active runs with 32 GiB",
    )


@answers("G001-14")
def rent(claim: dict[str, Any]) -> Answer:
    told, hours = [], {}
    for name, count in (("RTX 4090", 1), ("RTX 3090", 2), ("RTX 4090", 2), ("H100 SXM", 1)):
        machine = box(f"{count}x {name}" if count > 1 else name)
        price, offer = launch_price(machine), rentals()[(machine.devices[0].name, count)]
        line = f"{machine.name} {offer.usd_per_hour:.2f} USD an hour ({offer.source.date})"
        if price is not None:
            hours[machine.name] = float(break_even_hours(price[0], offer.usd_per_hour))
            line += f", {price[0]:,.0f} USD new: {hours[machine.name]:,.0f} hours"
        told.append(line)
    least = min(hours, key=lambda name: hours[name])
    return Answer(
        f"hours below which renting is cheaper than the card's launch price, without electricity: {'; '.join(told)}",
        f"right if it is used for less than that: one {least} is paid after {hours[least] / 8:,.0f} days of 8 hours",
    )
