"""A fleet under its targets: the cheapest ways that find room on the nodes together, where each replica lies, and what is missing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ..facts import data_json
from .alike import Alike, alike, free_cards
from .layout import Layout, Rejected
from .layouts import Layouts
from .node import Inventory, Node
from .paced import Under, under
from .packing import Item, Room, Seats, pack
from .target import FACTS, Target
from .ways import FREE, Cost, Part, Way, room_for, ways


class Placed(NamedTuple):
    """One target and what serves it."""

    target: Target
    way: Way
    seats: tuple[tuple[Seats, ...], ...]
    """For each part of the way the nodes of each of its replicas."""

    @property
    def share(self) -> float:
        """Load over the capacity of all replicas: the share of their planned utilisation that is used."""
        return self.target.load / self.way.capacity

    def load_each(self, part: Part) -> float:
        """What one replica of a part gets: its share of the capacity."""
        return self.share * part.layout.capacity

    def under(self, part: Part) -> Under:
        """One replica of a part under what it gets."""
        return under(part.layout.paced, self.target, self.load_each(part))


@dataclass(frozen=True, slots=True)
class Short:
    """Why a target has no place."""

    target: Target
    way: Way | None
    """The cheapest way for which there are too few nodes; None where no layout serves even one request."""
    room: int = 0
    """Replicas of it for which the fleet has cards."""


@dataclass(frozen=True)
class FleetPlan:
    """What runs where. Not a scheduler's work: Ray, Kubernetes or Slurm place it."""

    inventory: Inventory
    targets: tuple[Target, ...]
    spare: bool
    """Whether any one node may be lost."""
    kinds: tuple[Alike, ...]
    placed: tuple[Placed, ...]
    """In the order of the targets; empty where they do not all find room."""
    short: tuple[Short, ...]
    rejected: tuple[tuple[Rejected, ...], ...]
    """Of each target, the ways that do not do."""
    cut: bool = False
    """Whether the search was ended before it had tried everything."""

    @property
    def possible(self) -> bool:
        return bool(self.placed)

    @cached_property
    def priced(self) -> bool:
        """Whether every card of the fleet has a known price."""
        return priced(self.kinds)

    @cached_property
    def cost(self) -> Cost:
        """Of all that is placed."""
        total = FREE
        for one in self.placed:
            total = total.plus(one.way.cost(self.priced))
        return total

    @cached_property
    def free_cards(self) -> int:
        """That new work finds, on all nodes."""
        return sum(room.cards for room in rooms(self.kinds))

    @cached_property
    def nodes_used(self) -> tuple[str, ...]:
        """In the order of the inventory."""
        used = {name for one in self.placed for part in one.seats for seat in part for name in seat}
        return tuple(node.name for node in self.inventory.nodes if node.name in used)


def priced(kinds: Sequence[Alike]) -> bool:
    """Whether every card has a known price."""
    return all(kind.usd_per_card_hour is not None for kind in kinds if kind.card is not None)


def rooms(kinds: Sequence[Alike]) -> list[Room]:
    """What every node has for new work. Host memory that was only assumed binds nothing."""
    found = []
    for number, kind in enumerate(kinds):
        for node in kind.nodes:
            ram = node.machine.pool("ram")
            known = ram is not None and ram.source.kind != "assumed"
            found.append(Room(node.name, number, free_cards(node), ram.free_bytes if ram is not None and known else None))
    return found


def place(targets: Sequence[Target], inventory: Inventory, spare: bool = False, layouts: Layouts | None = None) -> FleetPlan:
    """The cheapest plan that serves all targets, or what is missing. `layouts` keeps what was looked at for the next question."""
    book, kinds = layouts or Layouts(), alike(inventory.nodes)
    cheap = priced(kinds)
    options, rejected, short = list[list[Way]](), list[tuple[Rejected, ...]](), list[Short]()
    for target in targets:
        fine, others = list[Layout](), list[Rejected]()
        for kind in kinds:
            good, bad = book.of(target, kind)
            fine, others = fine + good, others + bad
        mistakes = {one.engine: one.mistake for one in others if one.mistake is not None}
        if not fine and mistakes and all(one.engine in mistakes for one in others):
            # No engine knows what was asked for.
            raise next(iter(mistakes.values()))
        rejected.append(tuple(others))
        every = ways(target, fine, spare, cheap)
        roomy = [way for way in every if all(part.replicas <= room_for(part.layout, way.together) for part in way.parts)]
        if not roomy:
            nearest = min(every, key=lambda way: lacking(way), default=None)
            short.append(Short(target, nearest, room_for(nearest.parts[0].layout, nearest.together) if nearest else 0))
        options.append(roomy)
    found = None
    cut = False
    if not short:
        found, cut = cheapest(targets, options, kinds, cheap, book.in_time)
        if found is None:
            short = [Short(target, every[0], room_for(every[0].parts[0].layout)) for target, every in zip(targets, options, strict=True)]
    return FleetPlan(inventory, tuple(targets), spare, kinds, tuple(found or ()), tuple(short), tuple(rejected), cut)


def lacking(way: Way) -> float:
    """Cards (or nodes) that a way wants beyond those that are there."""
    missing = 0
    for part in way.parts:
        more = max(0, part.replicas - room_for(part.layout, way.together))
        missing += more * (part.layout.cards or 1)
    return missing


def cheapest(
    targets: Sequence[Target], options: Sequence[Sequence[Way]], kinds: Sequence[Alike], cheap: bool, check: Callable[[], None]
) -> tuple[list[Placed] | None, bool]:
    """The ways, one a target, that cost least together and find room; whether not all were tried. `check` raises to end the search."""
    costs = [[way.cost(cheap) for way in every] for every in options]
    least = [FREE] * (len(options) + 1)
    for at in reversed(range(len(options))):
        least[at] = least[at + 1].plus(costs[at][0])
    space = rooms(kinds)
    numbers = {id(kind): number for number, kind in enumerate(kinds)}
    best: tuple[Cost, list[Placed]] | None = None
    tries, most = 0, int(data_json(FACTS)["most_tries"])

    def rest(at: int, chosen: list[Way], cost: Cost) -> None:
        nonlocal best, tries
        if best is not None and cost.plus(least[at]) >= best[0]:
            return
        if at == len(options):
            best = (cost, laid) if (laid := lay(targets, chosen, numbers, space)) else best
            return
        for way, more in zip(options[at], costs[at], strict=True):
            tries += 1
            check()
            if tries > most:
                return
            # What does not find room without the others will not with them.
            if at + 1 < len(options) and at and lay(targets[: at + 1], [*chosen, way], numbers, space) is None:
                continue
            rest(at + 1, [*chosen, way], cost.plus(more))

    rest(0, [], FREE)
    return (best[1] if best else None), tries > most


def lay(targets: Sequence[Target], chosen: Sequence[Way], numbers: dict[int, int], space: Sequence[Room]) -> list[Placed] | None:
    """These ways on the nodes; None where there is no room for all."""
    items, where = list[Item](), list[tuple[int, int]]()
    for index, way in enumerate(chosen):
        for place, part in enumerate(way.parts):
            one = part.layout
            item = Item(index, numbers[id(one.on)], one.split.nodes, one.cards_each, one.ram_bytes, one.whole, way.together)
            items += [item] * part.replicas
            where += [(index, place)] * part.replicas
    seats = pack(items, space)
    if seats is None:
        return None
    found = []
    for index, (target, way) in enumerate(zip(targets, chosen, strict=False)):
        each = tuple(tuple(seat for seat, at in zip(seats, where, strict=True) if at == (index, place)) for place in range(len(way.parts)))
        found.append(Placed(target, way, each))
    return found


def without(inventory: Inventory, name: str) -> Inventory:
    """The cluster when a node is lost."""
    return dataclasses.replace(inventory, nodes=tuple(node for node in inventory.nodes if node.name != name))


def grown(inventory: Inventory, node: Node, count: int) -> Inventory:
    """The cluster with so many more nodes like one, all of it free."""
    more = [dataclasses.replace(node, name=f"{node.name}+{number}", free_cards=node.cards, state="ready") for number in range(1, count + 1)]
    return dataclasses.replace(inventory, nodes=(*inventory.nodes, *more))
