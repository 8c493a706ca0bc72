"""Which machines suit a model: cards, builds of several, Macs, boards, processors alone and rented ones, for so many people at such a pace."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from .engines import engine as find_engine
from .errors import NotFound, Refused, UserError
from .facts import Source, data_json
from .hardware import Machine
from .live_prices import gpuhunt_catalogue
from .live_prices import live_prices as read_live
from .model import ModelSpec
from .offers import Rent, break_even_hours, design_watts, launch_price, named_rentals, rentals, supply, usd_per_million
from .plan import Plan
from .prices import Price
from .probe.described import described
from .probe.instances import plain
from .probe.specified import specified
from .search import candidates, read_model, searched

MOST = 10


class Offer(NamedTuple):
    """A machine with the plan that a model runs by there, and what it costs."""

    plan: Plan
    kind: str
    """"card", "cards", "whole", "cpu" or "rent"."""
    used: bool
    """Mostly sold second-hand, so that the launch price is an upper bound."""
    usd: float | None
    """Of the devices when new; None when nobody says."""
    usd_source: Source | None
    rent: Rent | None
    """The cheapest offer of the same devices."""
    watts: float | None
    supply_watts: int | None
    misses: tuple[str, ...] = ()
    """Wishes that it does not meet: "memory", "pace", "budget", "watts"."""

    @property
    def machine(self) -> Machine:
        machine: Machine = self.plan.machine
        return machine

    @property
    def tokens_per_s(self) -> float | None:
        """Decoding, as each person sees it."""
        decode = self.plan.speed.decode
        return decode.tokens_per_s / int(self.plan.settings.sequences) if decode else None

    @property
    def usd_per_hour(self) -> float | None:
        return self.rent.usd_per_hour if self.rent else None

    @property
    def usd_per_million_tokens(self) -> float | None:
        """Of all people's tokens together, on the rented machine."""
        decode = self.plan.speed.decode
        return float(usd_per_million(self.rent.usd_per_hour, decode.tokens_per_s)) if self.rent and decode else None

    @property
    def break_even_hours(self) -> float | None:
        """Hours of use below which renting the same devices is cheaper than buying them new."""
        return float(break_even_hours(self.usd, self.rent.usd_per_hour)) if self.usd and self.rent else None


class Wishes(NamedTuple):
    """What a machine must do and may cost."""

    users: int = 1
    context_tokens: int = 8192
    slowest_tokens_per_s: float | None = None
    budget_usd: float | None = None
    """For buying; an hour of a rented machine with `rent`."""
    watts: float | None = None
    rent: bool | None = None
    """True: only rented ones; False: only bought ones; None: both."""


def machines(
    model: ModelSpec | str,
    *,
    users: int = 1,
    context_tokens: int = 8192,
    quant: str | None = None,
    slowest_tokens_per_s: float | None = None,
    budget_usd: float | None = None,
    watts: float | None = None,
    rent: bool | None = None,
    engine: str = "llama.cpp",
    limit: int = MOST,
    live_prices: bool = False,
) -> list[Offer]:
    """Machines that run `model` for `users` at a time, the cheapest first, bought ones before rented ones, those without a price last.

    With `live_prices` rents are today's, over the network (extra `prices`), where a provider publishes one. When none meets every wish, the nearest: those that miss fewest, the fastest first, each with what it `misses`.
    """
    wishes = Wishes(users, context_tokens, slowest_tokens_per_s, budget_usd, watts, rent)
    live = read_live(gpuhunt_catalogue()).prices if live_prices else ()
    return chosen(survey(model, wishes, quant, engine, live), limit)


def survey(
    model: ModelSpec | str, wishes: Wishes, quant: str | None = None, engine: str = "llama.cpp", live: Sequence[Price] = ()
) -> list[Offer]:
    """Every machine of data/builds.json and of the rentals, dated or live, with what it misses."""
    for name, value in (("users", wishes.users), ("context", wishes.context_tokens)):
        if value < 1:
            raise UserError(f"{name} = {value} is below 1.", f"--{name} 4")
    for name, wish in (("budget", wishes.budget_usd), ("watts", wishes.watts), ("slowest", wishes.slowest_tokens_per_s)):
        if wish is not None and wish <= 0:
            raise UserError(f"--{name} {wish:g} leaves nothing.", f"--{name} 500")
    spec = read_model(model)
    mix = quant if quant is not None or spec.stored == "gguf" else candidates(spec, None, find_engine(engine))[0]
    found = []
    for box, kind, used, rented in boxes(wishes.rent, live):
        plan = planned(spec, box, find_engine(engine), mix, wishes)
        if plan is not None:
            price = None if kind == "rent" else launch_price(box)
            offer = Offer(plan, kind, used, price and price[0], price and price[1], rented, design_watts(box), supply(box))
            found.append(offer._replace(misses=misses(offer, wishes)))
    return found


def chosen(found: Iterable[Offer], limit: int) -> list[Offer]:
    """Those that meet every wish, the cheapest first, rents of today before older ones; else the nearest."""
    every = list(found)
    meeting = [offer for offer in every if not offer.misses]
    if meeting:
        bought = sorted((o for o in meeting if o.kind != "rent"), key=lambda o: (o.usd is None, o.usd or 0, -(o.tokens_per_s or 0)))
        # A price of today is worth more than a lower one that may be gone.
        rented = sorted(
            (o for o in meeting if o.rent and o.kind == "rent"),
            key=lambda o: (o.rent is None or o.rent.source.kind != "read", o.usd_per_hour or 0, -(o.tokens_per_s or 0)),
        )
        named = sorted(
            (o for o in meeting if not o.rent and o.kind == "rent"),
            key=lambda o: sum(pool.bytes for pool in o.machine.pools if pool.name.startswith("vram")),
        )
        return [*bought[:limit], *rented[:limit], *named[: max(1, limit // 2)]]
    return sorted(every, key=lambda o: ("memory" in o.misses, len(o.misses), -(o.tokens_per_s or 0)))[:limit]


def excluded(found: Iterable[Offer]) -> dict[str, int]:
    """How many machines each wish keeps out."""
    return dict(Counter(miss for offer in found for miss in offer.misses))


def misses(offer: Offer, wishes: Wishes) -> tuple[str, ...]:
    """Wishes that an offer does not meet. A price or a power that nobody knows meets no limit."""
    floor = wishes.slowest_tokens_per_s
    if floor is None:
        floor = data_json("paces.json")["reading_tokens_per_s"]
    pace, cost = offer.tokens_per_s, offer.usd_per_hour if offer.kind == "rent" else offer.usd
    # Of both kinds together a budget is for buying.
    counts = offer.kind != "rent" or wishes.rent
    tests = {
        "memory": not offer.plan.fits,
        "pace": offer.plan.fits and (pace is None or pace < floor),
        "budget": wishes.budget_usd is not None and counts and (cost is None or cost > wishes.budget_usd),
        "watts": wishes.watts is not None and offer.kind != "rent" and (offer.watts is None or offer.watts > wishes.watts),
    }
    return tuple(name for name, missed in tests.items() if missed)


def boxes(rent: bool | None = None, live: Sequence[Price] = ()) -> Iterator[tuple[Machine, str, bool, Rent | None]]:
    """Every machine that is considered: the machine, its kind, whether it is mostly sold used, and the rental of its devices."""
    rented, named = rentals(live), {plain(name): name for name in data_json("builds.json")["rent"]}
    if rent is not True:
        for row in data_json("builds.json")["buy"]:
            box = _box(row["name"], row.get("ram"))
            names = [device.name for device in box.devices]
            offer = rented.get((names[0], len(names))) if names else None
            yield box, row["kind"], bool(row.get("used")), offer
    if rent is not False:
        for (device, count), offer in rented.items():
            if plain(offer.instance) in named:
                continue
            try:
                box = _box(f"{count}x {device}" if count > 1 else device, None)
            except (NotFound, UserError):
                continue
            yield replace(box, name=f"{offer.provider} {offer.instance}"), "rent", False, offer
        priced = named_rentals(live)
        for key, name in named.items():
            yield _box(name, None), "rent", False, priced.get(key)


@functools.cache
def _box(name: str, ram: str | None) -> Machine:
    box = specified(described(name, ram))
    return replace(box, name=name if ram is None else f"{name}, {ram}")


def planned(spec: ModelSpec, box: Machine, engine: Any, mix: str | None, wishes: Wishes) -> Plan | None:
    """The model on a machine: the fastest placement; None when the engine refuses it."""
    try:
        search = searched(spec, box, engine, mix, wishes.context_tokens, wishes.users, {}, varied=False)
        best = search.best()
        return best.trial.plan() if best is not None else search.least_short(mix).plan(timed=False)
    except (Refused, UserError):
        return None
