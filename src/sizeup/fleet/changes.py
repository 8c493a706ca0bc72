"""The smallest change of each kind that makes an impossible plan possible, or a possible one cheaper."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from ..engines import engine as find_engine
from ..facts import data_json
from .layout import HOST
from .layouts import HOST_QUANT, SERVING, Layouts
from .placing import FleetPlan, grown, place
from .target import ANY, FACTS, Target

Kind = Literal["spare", "cache", "quant", "between_tokens", "first_token", "goals", "nodes", "load"]


class Change(NamedTuple):
    """One change and the plan that it leads to."""

    kind: Kind
    models: tuple[str, ...]
    """Whose; none for the fleet."""
    value: str | float
    """The number format, the goal in seconds, how many times both goals, the share of the load; of nodes their number."""
    what: str
    """The machine of added nodes; otherwise ""."""
    plan: FleetPlan


def changes(plan: FleetPlan, layouts: Layouts) -> tuple[Change, ...]:
    """One change of each kind that helps, the cheapest plan first."""
    found = [change for kind in (spare, cache, quant, goals, nodes, load) for change in kind(plan, layouts)]
    return tuple(sorted(found, key=lambda change: (change.plan.cost, change.kind == "load")))


def helps(plan: FleetPlan, other: FleetPlan) -> bool:
    """Whether the other one works and this one does not, or it costs less."""
    if not other.possible or not plan.possible:
        return other.possible and not plan.possible
    return other.cost[:3] < plan.cost[:3]


def chosen(plan: FleetPlan) -> list[int]:
    """The targets that a change is about: those without a place, else the one that costs most."""
    if not plan.possible:
        return [number for number, target in enumerate(plan.targets) if any(short.target is target for short in plan.short)]
    costs = [placed.way.cost(plan.priced) for placed in plan.placed]
    return [costs.index(max(costs))]


def changed(plan: FleetPlan, layouts: Layouts, make: Callable[[Target], dict[str, Any]]) -> FleetPlan:
    """The plan with other wishes for the targets that a change is about."""
    about = chosen(plan)
    targets = [dataclasses.replace(t, **make(t)) if number in about else t for number, t in enumerate(plan.targets)]
    return place(targets, plan.inventory, plan.spare, layouts)


def names(plan: FleetPlan) -> tuple[str, ...]:
    """Of the models that a change is about."""
    return tuple(plan.targets[number].model.name for number in chosen(plan))


def spare(plan: FleetPlan, layouts: Layouts) -> list[Change]:
    """Nothing kept for a lost node."""
    if not plan.spare or plan.possible:
        return []
    other = place(plan.targets, plan.inventory, False, layouts)
    return [Change("spare", (), "", "", other)] if other.possible else []


def cache(plan: FleetPlan, layouts: Layouts) -> list[Change]:
    """Keys and values in eight bits."""
    if any(plan.targets[number].cache_type != "auto" for number in chosen(plan)):
        return []
    other = changed(plan, layouts, lambda target: {"cache_type": "fp8"})
    return [Change("cache", names(plan), "fp8", "", other)] if helps(plan, other) else []


def quant(plan: FleetPlan, layouts: Layouts) -> list[Change]:
    """The first smaller number format that helps."""
    about = [plan.targets[number] for number in chosen(plan)]
    if any(target.quant == ANY for target in about):
        return []
    cards = any(kind.card is not None for kind in plan.kinds)
    tried: Sequence[str | None] = (
        find_engine(SERVING[0] if cards else HOST).quants(about[0].model) if about[0].model.stored != "gguf" else []
    )
    asked = about[0].quant or (None if cards else HOST_QUANT)
    following = list(tried[tried.index(asked) + 1 :]) if asked in tried else list(tried[1:] if asked is None else [])
    for name in following:
        other = changed(plan, layouts, lambda target, name=name: {"quant": name})  # type: ignore[misc]
        if helps(plan, other):
            return [Change("quant", names(plan), str(name), "", other)]
    return []


def goals(plan: FleetPlan, layouts: Layouts) -> list[Change]:
    """The first looser goal that helps, of each of the two; of both together where neither does and nothing else fits."""
    found = []
    about = [plan.targets[number] for number in chosen(plan)]
    every = data_json(FACTS)["looser" if plan.possible else "looser_where_impossible"]

    def looser(times: float, fields: Sequence[str]) -> FleetPlan:
        return changed(plan, layouts, lambda target: {field: getattr(target, field) * times for field in fields})

    def least(fields: Sequence[str]) -> tuple[float, FleetPlan] | None:
        # Where the loosest does not help, no other does.
        if not helps(plan, looser(every[-1], fields)):
            return None
        return next((times, other) for times in every if helps(plan, other := looser(times, fields)))

    fields: tuple[tuple[Kind, str], ...] = (("between_tokens", "token_s"), ("first_token", "first_token_s"))
    for kind, field in fields:
        if (one := least([field])) is not None:
            found.append(Change(kind, names(plan), max(getattr(target, field) for target in about) * one[0], "", one[1]))
    if not found and not plan.possible and (both := least([field for _, field in fields])) is not None:
        found.append(Change("goals", names(plan), both[0], "", both[1]))
    return found


def nodes(plan: FleetPlan, layouts: Layouts) -> list[Change]:
    """The fewest more nodes, of each machine that the fleet has."""
    found = []
    for kind in plan.kinds:
        node = max(kind.nodes, key=lambda node: node.cards)

        def more(count: int, node: Any = node) -> FleetPlan:
            return place(plan.targets, grown(plan.inventory, node, count), plan.spare, layouts)

        high, most = 1, 1 if plan.possible else int(data_json(FACTS)["most_nodes_added"])
        while not (best := more(high)).possible and high < most:
            high *= 2
        if not helps(plan, best):
            continue
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            if (other := more(middle)).possible:
                high, best = middle, other
            else:
                low = middle
        found.append(Change("nodes", (), high, node.machine.name, best))
    return found


def load(plan: FleetPlan, layouts: Layouts) -> list[Change]:
    """The most of the load that works; only where all of it does not."""
    if plan.possible:
        return []

    def part(share: float) -> FleetPlan:
        def less(target: Target) -> dict[str, Any]:
            if target.users is not None:
                return {"users": max(1.0, float(int(target.users * share)))}
            return {"requests_per_s": target.load * share}

        return changed(plan, layouts, less)

    low, high = 0.0, 1.0
    best: FleetPlan | None = None
    for _ in range(6):
        middle = (low + high) / 2
        if (other := part(middle)).possible:
            low, best = middle, other
        else:
            high = middle
    return [] if best is None else [Change("load", names(plan), low, "", best)]
