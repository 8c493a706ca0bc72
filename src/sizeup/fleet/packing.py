"""Replicas onto nodes: the largest first, each where it leaves least over; where that fails and there are few, every other way is tried."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

TRIES = 20_000
"""Placements that are tried one by one where the first way fails."""


@dataclass(slots=True)
class Room:
    """What a node has left."""

    name: str
    kind: int
    """Nodes that are alike have the same."""
    cards: int
    ram_bytes: int | None
    """None where nobody knows: then it binds nothing."""
    taken: bool = False
    """A replica has the node for itself."""


class Item(NamedTuple):
    """One replica to be placed."""

    target: int
    kind: int
    nodes: int
    """It spans so many; on each it takes what follows."""
    cards: int
    ram_bytes: int
    whole: bool
    together: int
    """The most replicas of its target that one node may lose at a time; 0 is any number."""


Seats = tuple[str, ...]
"""The nodes of one replica."""


def pack(items: Sequence[Item], rooms: Sequence[Room]) -> list[Seats] | None:
    """For every item the nodes that it lies on, in the order of the items; None where they do not all find room."""
    order = sorted(range(len(items)), key=lambda i: (-items[i].whole, -items[i].cards, -items[i].nodes, -items[i].ram_bytes))
    left = [Room(room.name, room.kind, room.cards, room.ram_bytes, room.taken) for room in rooms]
    lies: dict[tuple[int, str], int] = {}
    seats: dict[int, Seats] = {}
    for index in order:
        chosen = next(ways(items[index], left, lies), None)
        if chosen is None:
            return _every(items, order, rooms)
        take(items[index], chosen, lies, 1)
        seats[index] = tuple(room.name for room in chosen)
    return [seats[index] for index in range(len(items))]


def ways(item: Item, rooms: Sequence[Room], lies: dict[tuple[int, str], int]) -> Iterator[tuple[Room, ...]]:
    """Nodes for an item, those that it fills best first; of nodes with the same left it is the first that are taken."""
    able = [room for room in rooms if fits(item, room, lies)]
    able.sort(
        key=lambda room: (room.cards - item.cards, -1 if room.ram_bytes is None else room.ram_bytes, lies.get((item.target, room.name), 0))
    )
    alike: dict[object, list[Room]] = {}
    for room in able:
        alike.setdefault((room.cards, room.ram_bytes, lies.get((item.target, room.name), 0)), []).append(room)
    groups = list(alike.values())
    for chosen in itertools.combinations_with_replacement(range(len(groups)), item.nodes):
        counts = Counter(chosen)
        if all(count <= len(groups[number]) for number, count in counts.items()):
            yield tuple(room for number, count in counts.items() for room in groups[number][:count])


def fits(item: Item, room: Room, lies: dict[tuple[int, str], int]) -> bool:
    """Whether one stage group of an item has room on a node."""
    if room.kind != item.kind or room.taken or room.cards < item.cards:
        return False
    if room.ram_bytes is not None and room.ram_bytes < item.ram_bytes:
        return False
    return not item.together or lies.get((item.target, room.name), 0) < item.together


def take(item: Item, chosen: Sequence[Room], lies: dict[tuple[int, str], int], sign: int) -> None:
    """Take an item's share of its nodes, or with -1 give it back."""
    for room in chosen:
        room.cards -= sign * item.cards
        if room.ram_bytes is not None:
            room.ram_bytes -= sign * item.ram_bytes
        if item.whole:
            room.taken = sign > 0
        lies[item.target, room.name] = lies.get((item.target, room.name), 0) + sign


def _every(items: Sequence[Item], order: Sequence[int], rooms: Sequence[Room]) -> list[Seats] | None:
    """By trying all; gives up after TRIES. Nothing is tried where the cards of a kind do not suffice at all."""
    for kind in {item.kind for item in items}:
        asked = sum(item.cards * item.nodes for item in items if item.kind == kind)
        if asked > sum(room.cards for room in rooms if room.kind == kind):
            return None
    left = [Room(room.name, room.kind, room.cards, room.ram_bytes, room.taken) for room in rooms]
    lies: dict[tuple[int, str], int] = {}
    seats: dict[int, Seats] = {}
    tries = 0

    def rest(at: int) -> bool:
        nonlocal tries
        if at == len(order):
            return True
        item = items[order[at]]
        for chosen in ways(item, left, lies):
            tries += 1
            if tries > TRIES:
                return False
            take(item, chosen, lies, 1)
            seats[order[at]] = tuple(room.name for room in chosen)
            if rest(at + 1):
                return True
            take(item, chosen, lies, -1)
        return False

    return [seats[index] for index in range(len(items))] if rest(0) else None
