"""How many replicas of which layouts serve one target: every way worth trying, the cheapest first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .alike import free_cards
from .layout import Layout
from .layouts import SERVING
from .target import Target

SLACK = 1e-9
"""A load that is as large as the capacity but for rounding is served."""


class Part(NamedTuple):
    """Replicas of one layout."""

    layout: Layout
    replicas: int


class Cost(NamedTuple):
    """What plans are compared by, the first difference deciding."""

    usd_per_hour: float
    """Of all cards, at median prices; 0 where the fleet has a card without a known price."""
    cards: int
    nodes: int
    """That replicas without cards take for themselves."""
    replicas: int

    def plus(self, other: Cost) -> Cost:
        """Of both together."""
        usd = self.usd_per_hour + other.usd_per_hour
        return Cost(usd, self.cards + other.cards, self.nodes + other.nodes, self.replicas + other.replicas)


FREE = Cost(0.0, 0, 0, 0)


class Way(NamedTuple):
    """Enough replicas for a target."""

    parts: tuple[Part, ...]
    together: int
    """The most replicas on one node that may be lost; 0 where none has to be spared."""

    @property
    def capacity(self) -> float:
        return sum(part.replicas * part.layout.capacity for part in self.parts)

    def cost(self, priced: bool) -> Cost:
        """Of all its replicas."""
        usd = sum(part.replicas * (part.layout.usd_per_hour or 0.0) for part in self.parts) if priced else 0.0
        cards = sum(part.replicas * part.layout.cards for part in self.parts)
        nodes = sum(part.replicas for part in self.parts if part.layout.whole)
        return Cost(round(usd, 6), cards, nodes, sum(part.replicas for part in self.parts))


def needed(load: float, capacity: float) -> int:
    """Replicas that carry a load."""
    return max(1, math.ceil(load / capacity - SLACK))


def ways(target: Target, layouts: Sequence[Layout], spare: bool, priced: bool) -> list[Way]:
    """Replicas of one layout, or of two on different nodes; with `spare` enough are left when any one node is lost."""
    found = [way for layout in layouts for way in alone(target, layout, spare)]
    best: dict[tuple[int, str | None], Layout] = {}
    for layout in layouts:
        key = id(layout.on), layout.quant
        if key not in best or worth(layout, priced) < worth(best[key], priced):
            best[key] = layout
    for first in best.values():
        for second in best.values():
            # Half of the answers from other numbers than the rest would be two services.
            if first.on is not second.on and first.quant == second.quant:
                found += mixed(target, first, second, spare)
    return sorted(found, key=lambda way: (way.cost(priced), len(way.parts), *(plainness(part.layout) for part in way.parts)))


def plainness(layout: Layout) -> tuple[int, int, int, float]:
    """Of ways that cost the same, the one that fewer things can go wrong with: on one node, without stages, by the engine known best."""
    split = layout.split
    return split.nodes, split.pipeline_parallel, int(layout.engine != SERVING[0]), -layout.capacity


def worth(layout: Layout, priced: bool) -> tuple[float, ...]:
    """What one unit of load costs by it."""
    return tuple(number / layout.capacity for number in Way((Part(layout, 1),), 0).cost(priced))


def room_for(layout: Layout, together: int = 0) -> int:
    """Replicas for which its nodes have cards, as if nothing else were there."""
    if layout.whole:
        return len(layout.on.nodes)
    each = [free_cards(node) // layout.cards_each for node in layout.on.nodes]
    return sum(min(count, together) if together else count for count in each) // layout.split.nodes


def alone(target: Target, layout: Layout, spare: bool) -> Iterator[Way]:
    """Replicas of one layout; to spare a node, as many more as lie on one."""
    count = needed(target.load, layout.capacity)
    if not spare:
        yield Way((Part(layout, count),), 0)
        return
    most = 1 if layout.whole else max(1, layout.on.cards // max(layout.cards_each, 1))
    for together in range(1, most + 1):
        yield Way((Part(layout, count + together),), together)


def mixed(target: Target, first: Layout, second: Layout, spare: bool) -> Iterator[Way]:
    """Some replicas of the first and the rest of the second."""
    for together in range(1, max(1, first.on.cards, second.on.cards) + 1) if spare else (0,):
        lost = together * max(first.capacity, second.capacity)
        for count in range(1, min(room_for(first, together), needed(target.load + lost, first.capacity) - 1) + 1):
            rest = needed(target.load + lost - count * first.capacity, second.capacity)
            if rest <= room_for(second, together):
                yield Way((Part(first, count), Part(second, rest)), together)
