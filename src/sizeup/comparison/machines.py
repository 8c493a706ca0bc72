"""Machines side by side: memory, bandwidth, arithmetic, power, and what an hour of their cards costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..hardware import Machine, Pool
from ..prices import price
from .rows import UNKNOWN, Comparison, Value, rows


def compare_machines(names: Sequence[str], machines: Sequence[Machine]) -> Comparison:
    """Machines side by side. Cards of one machine are added up, except bandwidth, since layers run one after another."""
    found = rows(
        machines,
        [
            ("cards", "text", "", lambda box: Value(cards(box)) if box.devices else NO_CARD),
            (
                "card_memory",
                "bytes",
                "more",
                lambda box: _of_cards(box, _memory(pool for pool in box.pools if pool.name not in ("ram", "disk"))),
            ),
            ("host_memory", "bytes", "more", lambda box: _of_host(box, _memory(pool for pool in box.pools if pool.name == "ram"))),
            (
                "card_bandwidth",
                "bytes_per_s",
                "more",
                lambda box: _of_cards(box, _slowest(p for p in box.pools if p.name not in ("ram", "disk"))),
            ),
            ("host_bandwidth", "bytes_per_s", "more", lambda box: _of_host(box, _slowest(p for p in box.pools if p.name == "ram"))),
            ("arithmetic", "flops_per_s", "more", lambda box: _sum([device.flops_per_s for device in box.devices])),
            ("processor", "text", "", lambda box: Value(box.cpu.name if box.cpu else None, source=box.cpu.source if box.cpu else None)),
            ("cores", "count", "more", lambda box: Value(box.cpu.cores if box.cpu and box.cpu.cores else None)),
            ("watts", "watts", "less", lambda box: _sum([device.power_limit_w or device.watts for device in box.devices])),
            ("rent", "usd_per_h", "less", rent),
        ],
    )
    return Comparison("machines", tuple(names), found, tuple(machines))


NO_CARD = Value(None, none="no_card")


def _of_cards(box: Machine, found: Value) -> Value:
    return found if box.devices else NO_CARD


def _of_host(box: Machine, found: Value) -> Value:
    """A memory that cards and processor share is told once, as the cards'."""
    shared = found.value is None and box.pool("ram") is None and box.pool("unified") is not None
    return Value(None, none="shared") if shared and box.devices else found


def cards(box: Machine) -> str:
    """The devices beside the processor, counted by name."""
    counts: dict[str, int] = {}
    for device in box.devices:
        counts[device.name] = counts.get(device.name, 0) + 1
    return ", ".join(name if count == 1 else f"{count} × {name}" for name, count in counts.items())


def rent(box: Machine) -> Value:
    """US dollars for an hour of all cards on demand, the median of the offers of each; unknown where one was not offered."""
    offers = [price(device.name) for device in box.devices]
    known = [offer for offer in offers if offer is not None]
    if not known or len(known) < len(offers):
        return UNKNOWN
    low, middle, high = (sum(getattr(offer, end) for offer in known) for end in ("low", "middle", "high"))
    return Value(middle, low, high, known[0].source)


def _memory(pools: Iterable[Pool]) -> Value:
    found = list(pools)
    return Value(sum(pool.bytes for pool in found), source=found[0].source) if found else UNKNOWN


def _slowest(pools: Iterable[Pool]) -> Value:
    """Of several the slowest; unknown when one is."""
    found = list(pools)
    rates = [pool.bytes_per_s for pool in found if pool.bytes_per_s]
    return Value(min(rates), source=found[0].bandwidth_source) if rates and len(rates) == len(found) else UNKNOWN


def _sum(numbers: Sequence[float | None]) -> Value:
    known = [number for number in numbers if number]
    return Value(sum(known)) if known and len(known) == len(numbers) else UNKNOWN
