"""Machines for a model as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import Unavailable
from .plans import plan_json

if TYPE_CHECKING:
    from ..guide_tables import Size, Tier
    from ..hardware import Machine
    from ..live_prices import Live
    from ..markets import Offer
    from ..together import Together
    from ..upgrades import Upgrade


def machines_json(offers: Sequence[Offer], excluded: dict[str, int], live: Live | Unavailable | None = None) -> dict[str, Any]:
    """Offers in order, each with its plan; how many machines each wish kept out. Unknown prices and powers are null.

    `live_prices` is null where nobody asked for them, and says why where they did not come.
    """
    asked: dict[str, Any] | None = None
    if isinstance(live, Unavailable):
        asked = {"read": 0, "unknown": 0, "error": live.message}
    elif live is not None:
        asked = {"read": len(live.prices), "unknown": live.unknown, "error": None}
    return {"machines": [offer_json(offer) for offer in offers], "excluded": excluded, "live_prices": asked}


def offer_json(offer: Offer) -> dict[str, Any]:
    """A machine with what it costs and draws, and the plan that the model runs by there."""
    rent, source = offer.rent, offer.usd_source
    return {
        "name": offer.machine.name,
        "kind": offer.kind,
        "used": offer.used,
        "misses": list(offer.misses),
        "usd_new": offer.usd,
        "usd_source": None if source is None else dataclasses.asdict(source),
        "usd_per_hour": offer.usd_per_hour,
        "rent": None if rent is None else {"provider": rent.provider, "instance": rent.instance, "source": dataclasses.asdict(rent.source)},
        "usd_per_million_tokens": offer.usd_per_million_tokens,
        "break_even_hours": offer.break_even_hours,
        "watts": offer.watts,
        "supply_watts": offer.supply_watts,
        "tokens_per_s_each": offer.tokens_per_s,
        "plan": plan_json(offer.plan),
    }


def guide_json(sizes: Sequence[Size], tiers: Sequence[Tier], context_tokens: int) -> dict[str, Any]:
    """The rows of the tables that guides print, exact."""
    return {
        "context_tokens": context_tokens,
        "sizes": [
            {
                "size": row.name,
                "model": row.model.name,
                "parameters": row.model.parameters,
                "f16_bytes": row.full_bytes,
                "q8_0_bytes": row.eight_bytes,
                "quant": row.quant,
                "quant_bytes": row.quant_bytes,
                "needed_bytes": row.needed_bytes,
                "cheapest": [{"machine": name, "usd_new": usd} for name, usd in row.machines],
            }
            for row in sizes
        ],
        "machines": [
            {
                "tier": row.name,
                "machine": row.machine.name,
                "largest": row.size or None,
                "plan": None if row.plan is None else plan_json(row.plan),
            }
            for row in tiers
        ],
    }


def upgrades_json(machine: Machine, found: Sequence[Upgrade]) -> dict[str, Any]:
    """Changes of a machine, those that bring most for their price first."""
    rows = [
        {
            "kind": one.kind,
            "what": one.what,
            "usd_new": one.usd,
            "newly_runs": one.newly,
            "pace_factor": one.pace,
            "gain": one.gain,
            "gain_per_usd": one.gain_per_usd,
            "plans": [None if plan is None else plan_json(plan) for plan in one.plans],
        }
        for one in found
    ]
    return {"machine": machine.name, "upgrades": rows}


def together_json(found: Together) -> dict[str, Any]:
    """Several models on one machine: each one's plan and whether it stays, what is left, what swapping takes."""
    rows = [{**plan_json(plan), "resident": stays} for plan, stays in zip(found.plans, found.resident, strict=True)]
    beside = [
        {
            "name": one.name,
            "kind": one.kind,
            "bytes": one.bytes,
            "working_space_counted": one.whole,
            "pool": pool or None,
            "source": one.source.where,
        }
        for one, pool in found.beside
    ]
    return {"fits": found.fits, "models": rows, "described": beside, "left_bytes": found.left_bytes, "swap_s": found.swap_s}
