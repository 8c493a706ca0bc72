"""What to upgrade first on a machine: more RAM, a card, another one like it, another processor; by what each brings for its price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from . import worth
from .choice import kept_share
from .engines import engine as find_engine
from .facts import data_json
from .hardware import Machine
from .markets import Wishes, boxes, planned
from .model import ModelSpec
from .offers import launch_price
from .plan import Plan
from .remedies import GIB, another, enlarged
from .search import candidates, read_model, resolve_machine


class Upgrade(NamedTuple):
    """One change of a machine, and what the models that are wanted gain by it."""

    kind: str
    """"ram", "card", "another_card" or "cpu"."""
    what: str
    """The new part, or how much RAM there is then."""
    machine: Machine
    usd: float | None
    """Launch price of the part; None when nobody dated one."""
    plans: tuple[Plan | None, ...]
    """By model, after the change; None where it runs on neither."""
    newly: int
    """Models that run only then."""
    pace: float
    """How many times as fast the others decode, the geometric mean; 1 without any."""
    gain: float
    """Worth gained over all models, by the measure that plans are recommended by."""

    @property
    def gain_per_usd(self) -> float | None:
        return self.gain / self.usd if self.usd else None


def upgrades(
    machine: Machine | str | None = None,
    models: Sequence[ModelSpec | str] = (),
    *,
    context_tokens: int = 8192,
    engine: str = "llama.cpp",
    limit: int = 10,
) -> list[Upgrade]:
    """Changes that help, those with a known price by gain per dollar first, then the others by gain.

    `models` are the ones that are wanted; none given takes the sizes from 14B up of data/guide_tables.json. Whole machines with one
    memory for all cannot be changed, and get an empty list.
    """
    box = resolve_machine(machine)
    wanted = [read_model(model) for model in models or _usual()]
    before = [_best(spec, box, engine, context_tokens) for spec in wanted]
    found = []
    for kind, what, changed, usd in changes(box):
        after = [_best(spec, changed, engine, context_tokens) for spec in wanted]
        upgrade = _compared(kind, what, changed, usd, before, after)
        if upgrade.gain > 1e-6:
            found.append(upgrade)
    priced = sorted((one for one in found if one.usd), key=lambda one: -(one.gain_per_usd or 0))
    unpriced = sorted((one for one in found if not one.usd), key=lambda one: -one.gain)
    # What has no known price may well be the cheapest, so the best of that is never pushed off the list.
    shown = unpriced[: max(limit // 3, limit - len(priced))]
    return [*priced[: limit - len(shown)], *shown]


def _usual() -> list[str]:
    rows = data_json("guide_tables.json")["sizes"]
    names = [row["class"] for row in rows]
    return [row["model"] for row in rows[names.index("14B") : names.index("405B")]]


def changes(machine: Machine) -> Iterator[tuple[str, str, Machine, float | None]]:
    """What can be changed: kind, part, the machine then, its price."""
    ram = machine.pool("ram")
    if ram is None:
        return
    larger = [size * GIB for size in data_json("preference.json")["memory_sizes_gib"] if size * GIB > ram.bytes * 5 // 4]
    for size in larger[:2]:
        yield "ram", f"{size // GIB} GiB", enlarged(machine, "ram", size - ram.bytes, grown=True), None
    own = [device for device in machine.devices if device.pool.startswith("vram:") and not device.node]
    if own:
        more = another(machine)
        price = launch_price(replace(more, devices=more.devices[-1:]))
        yield "another_card", own[0].name, more, price[0] if price else None
    for box, kind, _, _ in boxes(rent=False):
        if kind == "card" and (price := launch_price(box)) is not None:
            cards = tuple(pool for pool in box.pools if pool.name.startswith("vram:"))
            kept = tuple(pool for pool in machine.pools if not pool.name.startswith("vram:"))
            yield "card", box.devices[0].name, replace(machine, pools=(*kept, *cards), devices=box.devices, links=()), price[0]
        if kind == "cpu" and (other := box.pool("ram")) is not None and (other.bytes_per_s or 0) > (ram.bytes_per_s or 0):
            faster = replace(ram, bytes_per_s=other.bytes_per_s, bandwidth_source=other.bandwidth_source)
            pools = tuple(faster if pool.name == "ram" else pool for pool in machine.pools)
            yield "cpu", box.cpu.name if box.cpu else box.name, replace(machine, name=box.name, cpu=box.cpu, pools=pools), None


def _best(spec: ModelSpec, box: Machine, engine: str, context: int) -> Plan | None:
    plan = planned(spec, box, find_engine(engine), candidates(spec, None, find_engine(engine))[0], Wishes(context_tokens=context))
    return plan if plan is not None and plan.fits else None


def _compared(
    kind: str, what: str, machine: Machine, usd: float | None, before: Sequence[Plan | None], after: Sequence[Plan | None]
) -> Upgrade:
    pairs = list(zip(before, after, strict=True))
    ratios = [b.speed.decode.tokens_per_s / a.speed.decode.tokens_per_s for a, b in pairs if a and b and a.speed.decode and b.speed.decode]
    pace = 1.0
    for ratio in ratios:
        pace *= ratio ** (1 / len(ratios))
    gain = sum(_worth(b) - _worth(a) for a, b in pairs)
    return Upgrade(kind, what, machine, usd, tuple(after), sum(a is None and b is not None for a, b in pairs), pace, gain)


def _worth(plan: Plan | None) -> float:
    if plan is None:
        return 0.0
    decode = plan.speed.decode
    return kept_share(plan.model, plan.asked_quant, plan.settings) * worth.pace(decode.tokens_per_s if decode else None)
