"""What keeps a plan from being cheaper: how near each limit is, the nearest first."""

from __future__ import annotations

from collections import Counter
from typing import Literal, NamedTuple

from .layout import Layout
from .paced import under, utilisation
from .placing import FleetPlan, Placed
from .target import Target

What = Literal["between_tokens", "first_token", "utilisation", "places", "memory", "cards", "refused", "unknown"]
NEAR = 0.995
"""A limit that is used to this share is reached: what is solved for stops just before it."""


class Binding(NamedTuple):
    """One limit: of one replica at the most that it takes, or of the fleet."""

    what: What
    model: str
    """"" for the fleet's own."""
    value: float
    """Seconds, shares, requests, bytes or cards, as the limit is counted."""
    limit: float
    on: str = ""
    """The card or node that it is about."""

    @property
    def share(self) -> float:
        """Of the limit."""
        return self.value / self.limit if self.limit else 0.0


def binding(plan: FleetPlan, most: int = 3) -> tuple[Binding, ...]:
    """The limits that bind most."""
    found = [limit for placed in plan.placed for limit in limits(placed, plan)] if plan.possible else missed(plan)
    if plan.possible and plan.free_cards:
        found.append(Binding("cards", "", plan.cost.cards, plan.free_cards))
    return tuple(sorted(found, key=lambda one: -min(one.share, 1.0))[:most])


def limits(placed: Placed, plan: FleetPlan) -> list[Binding]:
    """How near one replica of each part is to its limits when it takes all it can, and what kept it from fewer cards."""
    found = []
    target = placed.target
    for part in placed.way.parts:
        one, name = part.layout, target.model.name
        full = under(one.paced, target, one.capacity)
        found.append(Binding("between_tokens", name, full.token_s, target.token_s, one.on.name))
        found.append(Binding("first_token", name, full.first_p90_s, target.first_token_s, one.on.name))
        found.append(Binding("places", name, full.batch, one.paced.places, one.on.name))
        if target.users is None:
            found.append(Binding("utilisation", name, full.busy, utilisation(), one.on.name))
        found += smaller(target, one, plan)
    return found


def smaller(target: Target, one: Layout, plan: FleetPlan) -> list[Binding]:
    """Memory that kept a model from half as many cards."""
    number = next(index for index, other in enumerate(plan.targets) if other is target)
    tight = [
        other
        for other in plan.rejected[number]
        if other.why == "memory" and other.on == one.on.name and other.engine == one.engine and 2 * other.split.cards == one.split.cards
    ]
    card = one.on.card
    pool = one.on.machine.pool(card.pool) if card is not None else None
    if not tight or pool is None:
        return []
    return [Binding("memory", target.model.name, min(other.value for other in tight), pool.free_bytes, one.on.name)]


def missed(plan: FleetPlan) -> list[Binding]:
    """Why a plan is impossible: cards that are missing, or what most ways failed for."""
    found = []
    for short in plan.short:
        name, number = short.target.model.name, plan.targets.index(short.target)
        if short.way is not None:
            part = short.way.parts[0]
            # A node without cards, or one whose GPU shares its memory, is what is counted there.
            asked = sum(each.replicas * (each.layout.cards or 1) for each in short.way.parts)
            limit = plan.free_cards if len(plan.short) > 1 and part.layout.cards else short.room * (part.layout.cards or 1)
            found.append(Binding("cards", name, asked, limit, part.layout.on.name))
            continue
        reasons = Counter(one.why for one in plan.rejected[number])
        for why, _ in reasons.most_common(3):
            alike = [one for one in plan.rejected[number] if one.why == why]
            nearest = min(alike, key=lambda one: one.value)
            found.append(Binding(why, name, nearest.value, _limit(plan, short.target, nearest.on, why), nearest.on))  # type: ignore[arg-type]
    return found


def _limit(plan: FleetPlan, target: Target, on: str, why: str) -> float:
    if why == "between_tokens":
        return target.token_s
    if why == "first_token":
        return target.first_token_s
    if why != "memory":
        return 0.0
    kind = next(kind for kind in plan.kinds if kind.name == on)
    pools = [pool for pool in kind.machine.pools if pool.name.startswith("vram")] or list(kind.machine.pools)
    return float(max((pool.free_bytes for pool in pools), default=0))
