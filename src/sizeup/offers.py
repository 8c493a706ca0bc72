"""What a machine costs and draws: bought at a dated price, rented by the hour, the supply it asks for. Unknown prices stay unknown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from .facts import Source, data_json
from .figure import Number, step
from .hardware import Machine
from .prices import Price, prices
from .probe import table
from .probe.instances import plain


class Rent(NamedTuple):
    """The cheapest offer of one machine, with its date."""

    provider: str
    instance: str
    usd_per_hour: float
    source: Source


@step("usd_per_million_tokens")
def usd_per_million(usd_per_hour: Number, tokens_per_s: Number) -> Number:
    """What a million generated tokens cost while the machine does nothing else; an idle hour costs the same."""
    return usd_per_hour * 1_000_000 / (tokens_per_s * 3600)


@step("break_even_hours")
def break_even_hours(usd: Number, usd_per_hour: Number) -> Number:
    """Hours of use below which renting is cheaper than buying. Not counted: electricity, the host, what it is sold for later."""
    return usd / usd_per_hour


@step("supply_watts")
def supply_watts(watts: Number, host: Number, headroom: Number) -> Number:
    """The power supply that devices of this design power ask for, before rounding up to one that is sold."""
    return (watts + host) * headroom


def launch_price(machine: Machine) -> tuple[float, Source] | None:
    """What the devices cost when they were new, and when that was; None when it is not known of each. A host is not counted."""
    usd, dates, where = 0.0, [], ""
    for device in machine.devices:
        part = _part(device.name)
        # What the cheapest computer with a chip costs says nothing of one with this memory.
        if part is None or part.launch_usd is None or device.pool == "unified":
            return None
        usd, where = usd + part.launch_usd, part.source.where
        dates.append(part.launch_date)
    return (usd, Source("published", f"launch price; {where}", max(dates))) if dates else None


def design_watts(machine: Machine) -> float | None:
    """Design power of all devices; None when it is not known of each."""
    known = [device.power_limit_w or device.watts for device in machine.devices]
    return sum(watts for watts in known if watts) if known and all(known) else None


def supply(machine: Machine) -> int | None:
    """Watts of the power supply for the cards and their host, assumed rules of data/power.json; None for whole machines."""
    watts = design_watts(machine)
    if watts is None or not all(device.pool.startswith("vram:") for device in machine.devices):
        return None
    facts = data_json("power.json")
    step = int(facts["step_watts"]["value"])
    return math.ceil(float(supply_watts(watts, facts["host_watts"]["value"], facts["headroom"]["value"])) / step) * step


def rentals(live: Iterable[Price] = ()) -> dict[tuple[str, int], Rent]:
    """Device and number of devices -> the cheapest offer on demand: a live one where there is any, else a dated one."""
    return {**_cheapest(prices()), **_cheapest(live)}


def named_rentals(live: Iterable[Price]) -> dict[str, Rent]:
    """What an instance is called, plainly -> its cheapest live offer over all regions."""
    found: dict[str, Rent] = {}
    for offer in live:
        key, rent = plain(offer.instance), _rent(offer, offer.usd_per_device_hour or 0.0)
        if rent.usd_per_hour and (key not in found or rent.usd_per_hour < found[key].usd_per_hour):
            found[key] = rent
    return found


def _cheapest(offers: Iterable[Price]) -> dict[tuple[str, int], Rent]:
    found: dict[tuple[str, int], Rent] = {}
    for offer in offers:
        if offer.usd_per_device_hour:
            key, rent = (offer.device, offer.devices), _rent(offer, offer.usd_per_device_hour)
            if key not in found or rent.usd_per_hour < found[key].usd_per_hour:
                found[key] = rent
    return found


def _rent(offer: Price, each: float) -> Rent:
    return Rent(offer.provider, offer.instance, each * offer.devices, offer.source)


def _part(name: str) -> table.Part | None:
    return next((part for part in table.meant(name)), None)
