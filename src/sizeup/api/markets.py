"""Machines for a model as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from ..errors import Unavailable
from ..facts import Source
from ..shape import as_json
from .plans import PlanJson, plan_json

if TYPE_CHECKING:
    from ..guide_tables import Size, Tier
    from ..hardware import Machine
    from ..live_prices import Live
    from ..markets import Offer
    from ..together import Together
    from ..upgrades import Upgrade


class RentJson(TypedDict):
    """Who rents it."""

    provider: str
    instance: str
    source: Source


class OfferJson(TypedDict):
    """A machine with what it costs and draws."""

    name: str
    kind: str
    used: bool
    misses: list[str]
    usd_new: float | None
    usd_source: Source | None
    usd_per_hour: float | None
    rent: RentJson | None
    usd_per_million_tokens: float | None
    break_even_hours: float | None
    watts: float | None
    supply_watts: int | None
    tokens_per_s_each: float | None
    plan: PlanJson


class LiveJson(TypedDict):
    """Today's prices that were read."""

    read: int
    unknown: int
    error: str | None


class MachinesJson(TypedDict):
    """Machines for a model, and what each wish keeps out."""

    machines: list[OfferJson]
    excluded: dict[str, int]
    live_prices: LiveJson | None


class PricedJson(TypedDict):
    """A machine and its launch price."""

    machine: str
    usd_new: float


class SizeRowJson(TypedDict):
    """What one size of model takes."""

    size: str
    model: str
    parameters: int
    f16_bytes: int
    q8_0_bytes: int
    quant: str
    quant_bytes: int
    needed_bytes: int
    cheapest: list[PricedJson]


class TierRowJson(TypedDict):
    """What one tier of machines runs."""

    tier: str
    machine: str
    largest: str | None
    plan: PlanJson | None


class TableJson(TypedDict):
    """One of the tables; the other is empty."""

    context_tokens: int
    sizes: list[SizeRowJson]
    machines: list[TierRowJson]


class UpgradeJson(TypedDict):
    """One change of a machine."""

    kind: str
    what: str
    usd_new: float | None
    newly_runs: int
    pace_factor: float
    gain: float
    gain_per_usd: float | None
    plans: list[PlanJson | None]


class UpgradesJson(TypedDict):
    """Changes of a machine, those that bring most for their price first."""

    machine: str
    upgrades: list[UpgradeJson]


class SharingJson(PlanJson):
    """The plan of a model that shares a machine."""

    resident: bool


class BesideJson(TypedDict):
    """A model that is only described."""

    name: str
    kind: str
    bytes: int
    working_space_counted: bool
    pool: str | None
    source: str


class TogetherJson(TypedDict):
    """Several models on one machine."""

    fits: bool
    models: list[SharingJson]
    described: list[BesideJson]
    left_bytes: dict[str, int]
    swap_s: float | None


def machines_json(offers: Sequence[Offer], excluded: dict[str, int], live: Live | Unavailable | None = None) -> MachinesJson:
    """Offers in order, each with its plan; how many machines each wish kept out. Unknown prices and powers are null.

    `live_prices` is null where nobody asked for them, and says why where they did not come.
    """
    asked: LiveJson | None = None
    if isinstance(live, Unavailable):
        asked = {"read": 0, "unknown": 0, "error": live.message}
    elif live is not None:
        asked = {"read": len(live.prices), "unknown": live.unknown, "error": None}
    return {"machines": [offer_json(offer) for offer in offers], "excluded": excluded, "live_prices": asked}


def offer_json(offer: Offer) -> OfferJson:
    """A machine with what it costs and draws, and the plan that the model runs by there."""
    rent, source = offer.rent, offer.usd_source
    return {
        "name": offer.machine.name,
        "kind": offer.kind,
        "used": offer.used,
        "misses": list(offer.misses),
        "usd_new": offer.usd,
        "usd_source": None if source is None else as_json(source),
        "usd_per_hour": offer.usd_per_hour,
        "rent": None if rent is None else {"provider": rent.provider, "instance": rent.instance, "source": as_json(rent.source)},
        "usd_per_million_tokens": offer.usd_per_million_tokens,
        "break_even_hours": offer.break_even_hours,
        "watts": offer.watts,
        "supply_watts": offer.supply_watts,
        "tokens_per_s_each": offer.tokens_per_s,
        "plan": plan_json(offer.plan),
    }


def guide_json(sizes: Sequence[Size], tiers: Sequence[Tier], context_tokens: int) -> TableJson:
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


def upgrades_json(machine: Machine, found: Sequence[Upgrade]) -> UpgradesJson:
    """Changes of a machine, those that bring most for their price first."""
    rows: list[UpgradeJson] = [
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


def together_json(found: Together) -> TogetherJson:
    """Several models on one machine: each one's plan and whether it stays, what is left, what swapping takes."""
    rows: list[SharingJson] = [{**plan_json(plan), "resident": stays} for plan, stays in zip(found.plans, found.resident, strict=True)]
    beside: list[BesideJson] = [
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
