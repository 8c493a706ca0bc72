"""Nodes that are alike: what fits on one of them fits on each, as far as it has cards free."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ..engines.serving.cards import KINDS
from ..hardware import Device, Link, Machine, Pool
from ..interval import Interval
from ..prices import price
from .network import slowest
from .node import Node


@dataclass(frozen=True)
class Alike:
    """Ready nodes with the same cards, or the same processor where they have none."""

    nodes: tuple[Node, ...]

    @cached_property
    def machine(self) -> Machine:
        """What new work finds on the one with most cards free."""
        return max((node.free() for node in self.nodes), key=lambda machine: len(machine.devices))

    @property
    def card(self) -> Device | None:
        """The card that serving engines use, the one with least free where they differ; None without."""
        return min(usable(self.machine), key=lambda device: _free(self.machine, device), default=None)

    @property
    def name(self) -> str:
        """Its card, or what processes there."""
        if self.card is not None:
            return self.card.name
        if self.machine.devices:
            return self.machine.devices[0].name
        return self.machine.cpu.name if self.machine.cpu is not None and self.machine.cpu.name else self.nodes[0].machine.name

    @property
    def cards(self) -> int:
        """The most that are free on one node, of those that serving engines use."""
        return len(usable(self.machine))

    @cached_property
    def likeness(self) -> object:
        """What all of them have; nodes of another cluster with the same are as good."""
        return likeness(self.machine)

    @cached_property
    def domain(self) -> int:
        """Cards that the fastest link joins: among more than these no tensor is split."""
        links = [link for link in self.machine.links if all(end.startswith("vram") for end in link.ends)]
        if not links:
            return self.cards
        fastest = max(link.bytes_per_s for link in links)
        return max(map(len, joined(link.ends for link in links if link.bytes_per_s == fastest)))

    @cached_property
    def usd_per_card_hour(self) -> Interval | None:
        """What renting such a card costs; None where no dated price is known."""
        return price(self.card.name) if self.card is not None else None

    @property
    def network(self) -> str:
        """What joins its nodes, the slowest where they differ; "" where nobody says."""
        return slowest({node.network for node in self.nodes})

    def ranks(self, count: int) -> Machine:
        """A machine of so many of its cards, wherever they are: what the ranks of a server find."""
        card, machine = self.card, self.machine
        assert card is not None
        memory = machine.pool(card.pool)
        assert memory is not None
        between = max((link for link in machine.links if card.pool in link.ends), key=lambda link: link.bytes_per_s, default=None)
        pools = [pool for pool in machine.pools if not pool.name.startswith("vram")]
        names = [f"vram:{number}" for number in range(count)]
        devices = tuple(dataclasses.replace(card, pool=name) for name in names)
        copies: list[Pool] = [dataclasses.replace(memory, name=name) for name in names]
        links: tuple[Link, ...] = ()
        if between is not None and all(end.startswith("vram") for end in between.ends):
            links = tuple(dataclasses.replace(between, ends=(names[0], name)) for name in names[1:])
        return dataclasses.replace(machine, pools=(*pools, *copies), devices=devices, links=links)


def alike(nodes: Iterable[Node]) -> tuple[Alike, ...]:
    """Ready nodes, those that are alike together. Nodes whose cards are all granted to others are left out."""
    found: dict[object, list[Node]] = {}
    for node in nodes:
        free = node.free()
        if node.state == "ready" and (usable(free) or not usable(node.machine)):
            found.setdefault(likeness(free), []).append(node)
    return tuple(Alike(tuple(group)) for group in found.values())


def usable(machine: Machine) -> list[Device]:
    """Cards that serving engines work with."""
    return [device for device in machine.devices if device.kind in KINDS and machine.pool(device.pool)]


def joined(pairs: Iterable[tuple[str, str]]) -> list[set[str]]:
    """Sets of pools that links join, directly or through others."""
    groups: list[set[str]] = []
    for pair in pairs:
        touched = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touched] + [set(pair).union(*touched)]
    return groups


def free_cards(node: Node) -> int:
    """Cards of a node that serving engines work with and nobody was granted."""
    return len(usable(node.free()))


def likeness(machine: Machine) -> object:
    """What makes a machine as good as another one, whatever the number of its cards."""
    cards = usable(machine)
    if not cards:
        return machine.name if not machine.pools else (_host(machine), tuple((d.name, _free(machine, d)) for d in machine.devices))
    seen = {(device.name, _free(machine, device)) for device in cards}
    # Cards that are not alike make a node that is like none but those with the very same.
    each = tuple(sorted(seen)) if len(seen) == 1 else tuple((device.name, _free(machine, device)) for device in cards)
    fastest = max((link.bytes_per_s for link in machine.links if all(end.startswith("vram") for end in link.ends)), default=0.0)
    return each, fastest


def _host(machine: Machine) -> object:
    cpu, ram = machine.cpu, machine.pool("ram") or machine.pool("unified")
    return cpu and (cpu.name, cpu.cores), ram and (ram.free_bytes, ram.bytes_per_s)


def _free(machine: Machine, device: Device) -> int:
    pool = machine.pool(device.pool)
    return pool.free_bytes if pool is not None else 0
