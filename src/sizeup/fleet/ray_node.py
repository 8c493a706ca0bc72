"""A node of a Ray cluster from what Ray declares of it, what it was granted, and what it told of itself. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from ..errors import SizeupError
from ..facts import ASSUMED, Source, data_json
from ..hardware import Cpu, Device, Machine, Pool
from ..probe import machine as described
from ..probe.specified import specified
from .node import Node, State

LABEL, RESOURCE = "ray.io/accelerator-type", "accelerator_type:"
ID = "ray.io/node-id"


class Seen(NamedTuple):
    """All that is known of a node before it is made one."""

    name: str
    declared: Mapping[str, Any]
    """Its row of `ray.nodes()`."""
    available: Mapping[str, float]
    """Its resources that nobody was granted."""
    draining: bool
    told: Mapping[str, Any]
    """What the detect task returned; empty where it did not."""
    trouble: str
    """Why it did not; "" where it did."""
    date: str


def node(seen: Seen) -> Node:
    """The node, with where each of its fields is known from."""
    resources: Mapping[str, float] = seen.declared.get("Resources") or {}
    labels = {str(key): str(value) for key, value in (seen.declared.get("Labels") or {}).items()}
    ray = Source("read", f"Ray's table of nodes ({seen.declared['NodeID'][:8]})", seen.date)
    alive = bool(seen.declared["Alive"])
    state: State = "down" if not alive else "closed" if seen.draining else "ready" if seen.told else "unknown"
    warnings = [f"Its detect task did not end: {seen.trouble}."] if seen.trouble and alive else []
    if not alive:
        why = str(seen.declared.get("DeathReasonMessage") or seen.declared.get("DeathReason") or "no reason told").rstrip(".")
        return Node(seen.name, Machine(seen.name, None, ()), "down", labels=labels, evidence=(("state", ray),), warnings=(why,))
    machine, where = told_machine(seen)
    count = int(resources.get("GPU", 0))
    if count and len(machine.devices) != count:
        if machine.devices:
            warnings.append(
                f"Ray declares {count} cards and the node has {len(machine.devices)}: what exists is told, and Ray grants {count}."
            )
        elif seen.told:
            warnings.append(f"Ray declares {count} cards, and the node's own probe sees none.")
    cards_from = where
    if count and not machine.devices:
        machine, cards_from = with_declared(machine, count, card(labels, resources), seen.date)
        warnings += machine.warnings
    free_cards = min(int(seen.available.get("GPU", 0)), len(machine.devices))
    evidence = [*((field, ray) for field in ("state", "free_cards", "free_cpus", "resource", "labels")), ("machine", where)]
    if machine.devices:
        evidence.append(("cards", cards_from))
    if seen.told:
        evidence.append(("software", Source("read", "the packages of the node's Python", seen.date)))
    return Node(
        seen.name,
        with_granted(dataclasses.replace(machine, name=seen.name), seen.available.get("memory", 0.0), seen.date),
        state,
        free_cards,
        seen.available.get("CPU", 0.0),
        "GPU" if count else "",
        labels,
        evidence=tuple(evidence),
        warnings=tuple(dict.fromkeys(warnings)),
        software=dict(seen.told.get("software", {})),
    )


def card(labels: Mapping[str, str], resources: Mapping[str, float]) -> str:
    """What Ray calls the node's cards; "" where it does not say."""
    named = [key.removeprefix(RESOURCE) for key in resources if key.startswith(RESOURCE)]
    return labels.get(LABEL) or (named[0] if named else "")


def told_machine(seen: Seen) -> tuple[Machine, Source]:
    """The machine as the node told it, best first: sizeup's probe, NVML, and at last what Ray declares of memory and processors."""
    told, name = seen.told, seen.name
    if told.get("by") == "sizeup":
        try:
            found = msgspec.convert(told["machine"], Machine)
            return found, Source("measured", f"sizeup {told['version']} on the node", seen.date)
        except msgspec.ValidationError:
            pass  # of another version than this one
    if told.get("cards"):
        where = Source("measured", "NVML on the node", seen.date)
        cards = [(str(one["name"]), int(one["bytes"]), int(one["free_bytes"])) for one in told["cards"]]
        return bare(name, int(told["ram_bytes"]), int(told["cpus"]), where, cards), where
    if told.get("ram_bytes"):
        where = Source("measured", "the node's own system", seen.date)
        return bare(name, int(told["ram_bytes"]), int(told["cpus"]), where), where
    resources = seen.declared.get("Resources") or {}
    where = Source("derived", "what Ray declares", seen.date)
    # Ray sets aside a share of the memory for itself and its store, which nobody is granted: it is not counted here.
    return bare(name, int(resources.get("memory", 0)), int(resources.get("CPU", 0)), where), where


def bare(name: str, ram_bytes: int, cpus: int, where: Source, cards: list[tuple[str, int, int]] | None = None) -> Machine:
    """A machine of which little is known: memory, processors as many as are counted, cards by name with their bytes and the free ones."""
    pools = [Pool("ram", ram_bytes, ram_bytes, source=where)]
    devices = []
    for index, (card, whole, free) in enumerate(cards or ()):
        pools.append(Pool(f"vram:{index}", whole, free, source=where))
        devices.append(Device(card, "NVIDIA", "cuda", f"vram:{index}", source=where))
    cpu = Cpu("", cpus, cpus, float(cpus), "", source=where) if cpus else None
    return specified(Machine(name, cpu, tuple(pools), tuple(devices), source=where))


def with_declared(machine: Machine, count: int, card: str, date: str) -> tuple[Machine, Source]:
    """The machine with the cards that Ray declares: their memory is the device table's, since Ray knows none."""
    known = data_json("ray_accelerators.json")["devices"]
    name = known.get(card, card)
    where = Source("derived", f"Ray's label {card}" if card else "a count without a name", date)
    if not card or name is None:
        note = f"Ray declares {count} cards of which it does not say how much memory they have ({card or 'no name'})."
        return dataclasses.replace(machine, warnings=(*machine.warnings, note)), where
    try:
        found = described(f"{count}x {name}" if count > 1 else name, ram=max(1, machine.pools[0].bytes), files=False)
    except SizeupError as error:
        return dataclasses.replace(machine, warnings=(*machine.warnings, error.message)), where
    pools = {pool.name: dataclasses.replace(pool, source=where) for pool in found.pools if pool.name.startswith("vram")}
    devices = tuple(dataclasses.replace(device, source=where) for device in found.devices if device.pool in pools)
    kept = tuple(pool for pool in machine.pools if pool.name not in pools)
    return dataclasses.replace(
        machine,
        pools=(*kept, *pools.values()),
        devices=devices,
        links=(*machine.links, *(link for link in found.links if set(link.ends) <= set(pools))),
        warnings=(*machine.warnings, *found.warnings),
    ), where


def with_granted(machine: Machine, memory: float, date: str) -> Machine:
    """The machine whose host memory has no more free than Ray may still grant: what others were granted and do not use yet is not free."""
    ray = Source("read", "Ray's memory that nobody was granted", date)

    def least(pool: Pool) -> Pool:
        if pool.name not in ("ram", "unified") or pool.free_bytes <= memory:
            return pool
        return dataclasses.replace(pool, free_bytes=int(memory), free_source=ray)

    return dataclasses.replace(machine, pools=tuple(map(least, machine.pools)), source=machine.source if machine.source != ASSUMED else ray)
