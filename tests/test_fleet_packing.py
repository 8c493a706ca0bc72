"""Replicas onto nodes: never more than a node has, and no room overlooked where there are few."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

from sizeup.fleet.packing import Item, Room, Seats, pack

GIB = 1 << 30


def fits(items: Sequence[Item], rooms: Sequence[Room], seats: Sequence[Seats]) -> bool:
    """Whether these seats take no more than there is."""
    for room in rooms:
        here = [item for item, seat in zip(items, seats, strict=True) if room.name in seat]
        if sum(item.cards for item in here) > room.cards or any(item.kind != room.kind for item in here):
            return False
        if room.ram_bytes is not None and sum(item.ram_bytes for item in here) > room.ram_bytes:
            return False
        if any(item.whole for item in here) and len(here) > 1:
            return False
        for item in here:
            if item.together and sum(other.target == item.target for other in here) > item.together:
                return False
    return all(len(set(seat)) == item.nodes for item, seat in zip(items, seats, strict=True))


def every(items: Sequence[Item], rooms: Sequence[Room]) -> bool:
    """Whether any of all placements fits: the slow way that cannot overlook one."""
    names = [room.name for room in rooms]
    choices = [list(itertools.combinations(names, item.nodes)) for item in items]
    return any(fits(items, rooms, seats) for seats in itertools.product(*choices))


def test_small_fleets_as_by_trying_everything() -> None:
    """Room is found exactly when there is some, and what is found fits."""
    dice = random.Random(7)
    found = {True: 0, False: 0}
    for _ in range(300):
        rooms = [
            Room(f"n{number}", dice.randrange(2), dice.choice((2, 4, 8)), dice.choice((None, 8 * GIB, 16 * GIB)))
            for number in range(dice.randint(1, 4))
        ]
        together = (dice.choice((0, 0, 1)), dice.choice((0, 0, 1)))
        items = [
            Item(target, dice.randrange(2), dice.choice((1, 1, 2)), dice.randint(1, 4), dice.choice((1, 6)) * GIB, False, together[target])
            for target in (dice.randrange(2) for _ in range(dice.randint(1, 4)))
        ]
        seats = pack(items, rooms)
        assert (seats is not None) == every(items, rooms)
        assert seats is None or fits(items, rooms, seats)
        found[seats is not None] += 1
    assert min(found.values()) > 50


def test_a_replica_that_takes_a_node_is_alone_there() -> None:
    """Two of them need two nodes, whatever their memory."""
    item = Item(0, 0, 1, 0, 0, True, 0)
    one, two = [Room("a", 0, 0, None)], [Room("a", 0, 0, None), Room("b", 0, 0, None)]
    assert pack([item, item], one) is None
    assert pack([item, item], two) == [("a",), ("b",)]


def test_rooms_are_not_changed() -> None:
    """Asking twice gives the same answer."""
    rooms = [Room("a", 0, 4, None)]
    item = Item(0, 0, 1, 4, 0, False, 0)
    assert pack([item], rooms) == pack([item], rooms) == [("a",)]


def test_many_alike_nodes_are_one_way() -> None:
    """Six replicas of eight nodes each find no room on forty alike ones, and five do; which of them are taken is not tried over and over."""
    rooms = [Room(f"n{number}", 0, 3, None) for number in range(40)]
    item = Item(0, 0, 8, 2, 0, False, 0)
    assert pack([item] * 6, rooms) is None
    assert [len(set(seat)) for seat in pack([item] * 5, rooms) or ()] == [8] * 5
