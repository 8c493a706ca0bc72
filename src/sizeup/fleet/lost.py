"""What happens when a node is lost: what is left of every model before anything is moved, and whether the rest has room for all."""

from __future__ import annotations

from typing import NamedTuple

from .layouts import Layouts
from .paced import under
from .placing import FleetPlan, Placed, place, without


class Left(NamedTuple):
    """One target with what is left of its replicas."""

    placed: Placed
    lost: int
    """Replicas that had a part on the node."""
    share: float
    """Capacity that is left, over all."""
    holds: bool
    """Whether both goals are still met with what is left, above the planned utilisation if need be."""


class Lost(NamedTuple):
    """Nodes of which any one may be lost, with the same loss."""

    nodes: tuple[str, ...]
    left: tuple[Left, ...]
    """Targets that lose something."""
    again: bool
    """Whether the other nodes have room for the whole load once the replicas are started there."""

    @property
    def holds(self) -> bool:
        """Whether all goals are met while nothing has moved yet."""
        return all(one.holds for one in self.left)


def lost(plan: FleetPlan, layouts: Layouts) -> tuple[Lost, ...]:
    """Every node in use, those with the same loss together, the worst loss first."""
    alike: dict[object, list[str]] = {}
    losses: dict[object, tuple[Left, ...]] = {}
    kinds = {node.name: number for number, kind in enumerate(plan.kinds) for node in kind.nodes}
    for name in plan.nodes_used:
        left = tuple(one for placed in plan.placed if (one := left_of(placed, name)).lost)
        key = kinds[name], tuple((id(one.placed.target), one.lost, round(one.share, 9)) for one in left)
        alike.setdefault(key, []).append(name)
        losses[key] = left
    found = []
    for alikeness, names in alike.items():
        # Nodes with the same loss leave others with the same room.
        again = place(plan.targets, without(plan.inventory, names[0]), False, layouts).possible
        found.append(Lost(tuple(names), losses[alikeness], again))
    return tuple(sorted(found, key=lambda one: (one.again, one.holds, min(left.share for left in one.left))))


def secure(plan: FleetPlan, layouts: Layouts) -> FleetPlan | None:
    """The plan that carries the load when any node is lost; None where this is one, or there is none to begin with."""
    if plan.spare or not plan.possible:
        return None
    return place(plan.targets, plan.inventory, True, layouts)


def left_of(placed: Placed, name: str) -> Left:
    """What is left of a target without a node."""
    alive = [sum(name not in seat for seat in seats) for seats in placed.seats]
    gone = sum(part.replicas for part in placed.way.parts) - sum(alive)
    capacity = sum(count * part.layout.capacity for part, count in zip(placed.way.parts, alive, strict=True))
    if not capacity:
        return Left(placed, gone, 0.0, False)
    holds = True
    for part, count in zip(placed.way.parts, alive, strict=True):
        if count:
            now = under(part.layout.paced, placed.target, placed.target.load * part.layout.capacity / capacity)
            holds = holds and now.meets(placed.target)
    return Left(placed, gone, capacity / placed.way.capacity, holds)
