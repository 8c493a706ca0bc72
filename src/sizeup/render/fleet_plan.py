"""A plan for a cluster as text: who serves what and where, how fast, what binds, what a lost node does, what would change it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sizeup.page import Page, indented

from .fleet_limits import bound, change, loss, missing, secured
from .fleet_served import one
from .fleet_words import listed, split
from .fleet_workings import others, workings
from .names import short_device
from .tables import EDGE, Column, table

if TYPE_CHECKING:
    from sizeup.fleet.binding import Binding
    from sizeup.fleet.changes import Change
    from sizeup.fleet.lost import Lost
    from sizeup.fleet.placing import FleetPlan


def fleet_plan(
    page: Page,
    plan: FleetPlan,
    binds: Sequence[Binding],
    changes: Sequence[Change],
    losses: Sequence[Lost],
    secure: FleetPlan | None,
    why: bool = False,
) -> str:
    """The whole answer; `secure` is the plan that may lose a node, where this one may not. With `why` also how replicas were counted, and every way that does not do."""
    from sizeup.fleet.paced import utilisation

    t = page.texts
    ready = sum(len(kind.nodes) for kind in plan.kinds)
    nodes = f"{ready}/{len(plan.inventory.nodes)}"
    head = t("fplan.title", cluster=plan.inventory.address, free=plan.free_cards, nodes=nodes)
    lines = ["", *indented(page.paint(head, "strong"), page.width, EDGE)]
    if plan.possible:
        lines += ["", *rows(page, plan), "", *indented(price(page, plan), page.width, EDGE)]
        for placed in plan.placed:
            lines += ["", *one(page, placed)]
        lines += ["", *titled(page, "fplan.where", seats(page, plan))]
    else:
        lines += ["", *indented(page.paint(t("fplan.impossible"), "bad"), page.width, EDGE)]
        lines += [line for number in range(len(plan.short)) for line in indented(missing(page, plan, number), page.width, f"{EDGE}  ")]
    if binds:
        lines += [
            "",
            *titled(page, "fplan.binds" if plan.possible else "fplan.misses", [bound(page, limit, plan.possible) for limit in binds]),
        ]
    if losses:
        lines += ["", *titled(page, "fplan.lost", [*(loss(page, one) for one in losses), *secured(page, secure)])]
    if plan.possible:
        lines += ["", *titled(page, "fplan.cheaper", [change(page, each, plan) for each in changes] or [t("fplan.no_cheaper")])]
    else:
        lines += ["", *titled(page, "fplan.nearest", [change(page, each, plan) for each in changes] or [t("fplan.no_nearest")])]
    if why:
        lines += ["", *titled(page, "fplan.counted", workings(page, plan))] if plan.possible else []
        lines += ["", *titled(page, "fplan.rejected", others(page, plan))]
    rule = t("fplan.rule", share=f"{utilisation():.0%}") + (t("fplan.cut") if plan.cut else "")
    return "\n".join([*lines, "", *(page.paint(line, "dim") for line in indented(rule, page.width, EDGE))]) + "\n"


def titled(page: Page, title: str, texts: Sequence[str]) -> list[str]:
    """A heading and what stands under it."""
    lines = [page.paint(EDGE + page.texts(title), "strong")]
    return lines + [line for text in texts for line in indented(text, page.width, f"{EDGE}- ")]


def rows(page: Page, plan: FleetPlan) -> list[str]:
    """One row for replicas that are alike."""
    from sizeup.fleet.layout import number_format

    t = page.texts
    parts = [(placed, part) for placed in plan.placed for part in placed.way.parts]
    return table(
        page,
        [
            Column(t("fplan.model"), [placed.target.model.name for placed, _ in parts], least=16),
            Column(t("fplan.on"), [short_device(part.layout.on.name) for _, part in parts], least=10),
            Column(t("fplan.engine"), [part.layout.engine for _, part in parts]),
            Column(t("fplan.weights"), [number_format(placed.target, part.layout) for placed, part in parts], least=6),
            Column(t("fplan.split"), [split(part.layout.split) for _, part in parts]),
            Column(t("fplan.replicas"), [str(part.replicas) for _, part in parts], right=True),
            Column(t("fplan.cards"), [str(part.replicas * part.layout.cards) for _, part in parts], right=True),
            Column(t("fplan.used"), [f"{placed.share:.0%}" for placed, _ in parts], right=True, rank=1),
        ],
    )


def price(page: Page, plan: FleetPlan) -> str:
    """What it costs, as far as anybody knows."""
    t, cost = page.texts, plan.cost
    words = t("fplan.takes", cards=cost.cards, free=plan.free_cards)
    if cost.nodes:
        words += t("fplan.takes_nodes", nodes=cost.nodes)
    if not cost.cards:
        return words + t("fplan.usd_none")
    return words + (t("fplan.usd", usd=f"{cost.usd_per_hour:,.2f}") if plan.priced else t("fplan.usd_unknown"))


def seats(page: Page, plan: FleetPlan) -> list[str]:
    """Nodes in use and what lies on each, alike ones together."""
    t = page.texts
    on: dict[str, dict[str, int]] = {}
    for placed in plan.placed:
        for seated in placed.seats:
            for seat in seated:
                for name in seat:
                    row = on.setdefault(name, {})
                    row[placed.target.model.name] = row.get(placed.target.model.name, 0) + 1
    same: dict[tuple[tuple[str, int], ...], list[str]] = {}
    for name in plan.nodes_used:
        same.setdefault(tuple(on[name].items()), []).append(name)
    texts = []
    for load, names in same.items():
        what = t("list.comma").join(f"{count} × {model}" for model, count in load)
        texts.append(f"{listed(page, names)}{t('fleet.colon')}{what}")
    return texts
