"""Machines for a model: what is bought, what is rented, what each costs and draws, and why nothing met the wishes."""

from __future__ import annotations

from collections.abc import Sequence

from sizeup.errors import Unavailable
from sizeup.hardware import Machine
from sizeup.live_prices import Live
from sizeup.markets import Offer, Wishes
from sizeup.model import ModelSpec
from sizeup.page import Page, indented
from sizeup.plan import Plan
from sizeup.together import Together
from sizeup.units import show_rate
from sizeup.upgrades import Upgrade

from .names import machine_line, pool_name, quant_name, seconds, short_device, speed_range
from .options import placement
from .tables import EDGE, Column, table


def machines(
    page: Page,
    model: ModelSpec,
    wishes: Wishes,
    offers: Sequence[Offer],
    excluded: dict[str, int],
    asked: int,
    live: Live | Unavailable | None = None,
) -> str:
    """The machines that meet every wish, bought and rented apart; else the nearest, and which wish keeps out how many."""
    t = page.texts
    quant = quant_name(page, offers[0].plan) if offers else ""
    head = t("machines.title", model=model.name, quant=quant, users=wishes.users, tokens=f"{wishes.context_tokens:,}")
    lines = ["", *indented(page.paint(head, "strong"), page.width, EDGE)]
    met = any(not offer.misses for offer in offers)
    if not met:
        words = t("list.comma").join(t(f"machines.out_{name}", count=count) for name, count in excluded.items())
        lines += ["", *indented(t("machines.none", asked=asked, words=words), page.width, EDGE)]
    for kind, rented in (("machines.buy", False), ("machines.rent", True)):
        rows = [offer for offer in offers if (offer.kind == "rent") == rented]
        if rows:
            lines += ["", EDGE + page.paint(t(kind), "strong"), *_rows(page, rows, rented, met)]
    cheaper = [offer for offer in offers if offer.break_even_hours]
    if cheaper:
        one = cheaper[0]
        words = t(
            "machines.break_even", machine=one.machine.name, hours=f"{one.break_even_hours or 0:,.0f}", hour=f"{one.usd_per_hour or 0:.2f}"
        )
        lines += ["", *indented(words, page.width, EDGE)]
    if isinstance(live, Unavailable):
        lines += ["", *indented(t("machines.not_live", why=t.sentence(live.message)), page.width, EDGE)]
    elif live is not None:
        providers = len({offer.provider for offer in live.prices})
        words = t("machines.live", offers=f"{len(live.prices):,}", providers=providers, unknown=f"{live.unknown:,}")
        lines += ["", *indented(words, page.width, EDGE)]
    lines += ["", *(page.paint(line, "dim") for line in indented(t("machines.rule"), page.width, EDGE))]
    return "\n".join(lines) + "\n"


def _rows(page: Page, offers: Sequence[Offer], rented: bool, met: bool) -> list[str]:
    t = page.texts
    unknown = t("machines.unknown")

    def dollars(usd: float | None, digits: int = 0) -> str:
        return unknown if usd is None else f"${usd:,.{digits}f}"

    names = [offer.machine.name + (t("machines.used") if offer.used else "") for offer in offers]
    columns = [Column(t("machines.machine"), names, least=22)]
    if rented:
        columns += [
            Column(t("machines.hour"), [dollars(offer.usd_per_hour, 2) for offer in offers], right=True),
            Column(t("machines.million"), [dollars(offer.usd_per_million_tokens, 2) for offer in offers], right=True),
            Column(t("machines.date"), [offer.rent.source.date if offer.rent else "" for offer in offers], rank=1),
        ]
    else:
        watts = [unknown if offer.watts is None else f"{offer.watts:,.0f} W" for offer in offers]
        supplies = ["" if offer.supply_watts is None else f"{offer.supply_watts:,} W" for offer in offers]
        columns += [
            Column(t("machines.price"), [dollars(offer.usd) for offer in offers], right=True),
            Column(t("machines.watts"), watts, right=True, rank=2),
            Column(t("machines.supply"), supplies, right=True, rank=3),
        ]
    paces = ["?" if offer.tokens_per_s is None else show_rate(offer.tokens_per_s) for offer in offers]
    columns.append(Column(t("machines.pace"), paces if met else [_pace(offer) for offer in offers], right=True))
    if not met:
        missed = [t("list.comma").join(t(f"machines.miss_{name}") for name in offer.misses) for offer in offers]
        columns.append(Column(t("machines.misses"), missed, least=10))
    else:
        columns.append(Column("", [placement(page, offer.plan) for offer in offers], least=12, rank=2 if rented else 1))
    return table(page, columns)


def _pace(offer: Offer) -> str:
    return "" if not offer.plan.fits else "?" if offer.tokens_per_s is None else show_rate(offer.tokens_per_s)


def upgrades(page: Page, machine: Machine, found: Sequence[Upgrade]) -> str:
    """What to change first: the part, its price, what runs only then, and how much faster the rest."""
    t = page.texts
    lines = ["", *indented(machine_line(page, machine), page.width, EDGE), ""]
    if not found:
        return "\n".join([*lines, *indented(t("upgrade.none"), page.width, EDGE)]) + "\n"
    lines += table(
        page,
        [
            Column(t("upgrade.what"), [t(f"upgrade.{one.kind}", what=short_device(one.what)) for one in found], least=24),
            Column(t("machines.price"), [t("machines.unknown") if one.usd is None else f"${one.usd:,.0f}" for one in found], right=True),
            Column(t("upgrade.newly"), [str(one.newly) if one.newly else "" for one in found], right=True),
            Column(t("upgrade.pace"), [f"{one.pace:.1f}×" for one in found], right=True),
        ],
    )
    return "\n".join([*lines, "", *(page.paint(line, "dim") for line in indented(t("upgrade.rule"), page.width, EDGE))]) + "\n"


def together(page: Page, machine: Machine, found: Together) -> str:
    """Several models on one machine: what each takes, whether it stays, what is left, what swapping costs."""
    t, plans = page.texts, found.plans
    lines = ["", *indented(machine_line(page, machine), page.width, EDGE), ""]
    needed = [sum(plan.breakdown.needed_bytes(pool) for pool in plan.breakdown.by_pool()) for plan in plans]
    stays = [
        t("together.stays") if one else t("together.swapped") if plan.fits else t("fit.no")
        for plan, one in zip(plans, found.resident, strict=True)
    ]
    names, blank = [one.footprint.name for one in found.beside], [""] * len(found.beside)
    needed += [one.footprint.bytes for one in found.beside]
    stays += [t("together.stays") if one.pool else t("fit.no") for one in found.beside]
    lines += table(
        page,
        [
            Column(t("models.model"), [*(plan.model.name.rpartition("/")[2] for plan in plans), *names], least=20),
            Column(t("models.quant"), [*(quant_name(page, plan) for plan in plans), *blank], rank=1),
            Column(t("models.memory"), [page.bytes(count) for count in needed], right=True),
            Column(t("models.decode"), [*(_decoding(page, plan) for plan in plans), *blank], right=True),
            Column("", stays),
        ],
    )
    left = t("list.comma").join(f"{pool_name(page, machine, name)} {page.bytes(count)}" for name, count in found.left_bytes.items())
    lines += ["", *indented(t("together.left", left=left), page.width, EDGE)]
    if not found.fits and any(plan.fits and not one for plan, one in zip(plans, found.resident, strict=True)):
        words = t("together.swap", time=seconds(page, found.swap_s)) if found.swap_s is not None else t("together.swap_unknown")
        lines += indented(words, page.width, EDGE)
    if found.beside:
        lines += [
            page.paint(line, "dim") for line in indented(t("together.described", names=t("list.comma").join(names)), page.width, EDGE)
        ]
    return "\n".join(lines) + "\n"


def _decoding(page: Page, plan: Plan) -> str:
    return speed_range(page, plan.speed.decode) if plan.speed.decode and plan.fits else ""
