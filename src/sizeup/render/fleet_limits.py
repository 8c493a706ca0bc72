"""What binds a plan for a cluster, what a lost node does to it, and what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sizeup.page import Page

from .fleet_words import listed, number, seconds, split
from .names import short_device

if TYPE_CHECKING:
    from sizeup.fleet.binding import Binding
    from sizeup.fleet.changes import Change
    from sizeup.fleet.lost import Lost
    from sizeup.fleet.placing import FleetPlan


def missing(page: Page, plan: FleetPlan, number: int) -> str:
    """Why a target has no place."""
    from sizeup.fleet.layout import number_format

    t, short = page.texts, plan.short[number]
    name = short.target.model.name
    if not plan.kinds:
        return t("fplan.no_node", model=name)
    if short.way is None:
        return t("fplan.no_way", model=name)
    part = short.way.parts[0]
    asked = sum(each.replicas for each in short.way.parts)
    key = "fplan.too_few" if asked > short.room else "fplan.together" if len(plan.short) > 1 else "fplan.unpacked"
    what = f"{part.layout.engine} {number_format(short.target, part.layout)} {split(part.layout.split)}"
    return t(
        key, model=name, replicas=asked, split=what, on=short_device(part.layout.on.name), room=short.room, cards=part.layout.cards * asked
    )


def bound(page: Page, limit: Binding, possible: bool) -> str:
    """One limit in words."""
    t = page.texts
    key = f"fplan.bind_{limit.what}" if possible else f"fplan.miss_{limit.what}"
    if limit.what in ("between_tokens", "first_token"):
        value, most = seconds(limit.value), seconds(limit.limit)
    elif limit.what == "memory":
        value, most = page.bytes(limit.value), page.bytes(limit.limit)
    elif limit.what == "utilisation":
        value, most = f"{limit.value:.0%}", f"{limit.limit:.0%}"
    else:
        value, most = number(limit.value), number(limit.limit)
    return t(key, model=limit.model, value=value, limit=most, on=short_device(limit.on))


def loss(page: Page, one: Lost) -> str:
    """What a lost node does."""
    t = page.texts
    words = t("list.comma").join(
        t(
            "fplan.loses",
            model=left.placed.target.model.name,
            lost=left.lost,
            all=sum(part.replicas for part in left.placed.way.parts),
            share=f"{left.share:.0%}",
        )
        for left in one.left
    )
    missed = [left.placed.target.model.name for left in one.left if not left.holds]
    goals = t("fplan.lost_holds") if not missed else t("fplan.lost_missed", models=t("list.comma").join(missed))
    return f"{listed(page, one.nodes)}{t('fleet.colon')}{words}{goals}{t('fplan.lost_again' if one.again else 'fplan.lost_nowhere')}"


def secured(page: Page, secure: FleetPlan | None) -> list[str]:
    """What it takes to lose any node without missing a goal."""
    if secure is None:
        return []
    t = page.texts
    return [t("fplan.secured") + (t("fplan.then") + takes(page, secure) if secure.possible else t("fplan.secured_not"))]


def takes(page: Page, plan: FleetPlan) -> str:
    """Cards and dollars of a plan, in short."""
    t, cost = page.texts, plan.cost
    words = t("fplan.change_takes", cards=cost.cards)
    if plan.priced and cost.cards:
        words += t("list.comma") + f"${cost.usd_per_hour:,.2f}/h"
    return words + (t("fplan.takes_nodes", nodes=cost.nodes) if cost.nodes else "")


def change(page: Page, each: Change, plan: FleetPlan) -> str:
    """One change and what the plan takes with it."""
    t = page.texts
    value = seconds(float(each.value)) if each.kind in ("between_tokens", "first_token") else each.value
    if each.kind == "goals":
        value = "× " + number(float(each.value))
    if each.kind == "load":
        value = f"{float(each.value):.0%}"
    words = t(f"fplan.change_{each.kind}", models=t("list.comma").join(each.models), value=value, what=each.what)
    return f"{words}{t('fplan.then')}{takes(page, each.plan)}"
