"""A plan for a cluster as text: who serves what and where, how fast, what binds, what a lost node does, what would change it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sizeup.figure import plain
from sizeup.page import Page, indented
from sizeup.plan import ServingBreakdown

from .names import short_device
from .tables import EDGE, Column, pairs, table

if TYPE_CHECKING:
    from sizeup.fleet.binding import Binding
    from sizeup.fleet.changes import Change
    from sizeup.fleet.layout import Layout, Split
    from sizeup.fleet.lost import Lost
    from sizeup.fleet.placing import FleetPlan, Placed
    from sizeup.fleet.target import Target
    from sizeup.fleet.ways import Part

MOST_SEATS = 8
"""Nodes that are named one by one; of more of them the rest is counted."""


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


def split(how: Split) -> str:
    """TP2, TP8×PP2, TP8+EP; "–" for a node by itself."""
    if how.slots:
        return "–"
    words = f"TP{how.tensor_parallel}" + (f"×PP{how.pipeline_parallel}" if how.pipeline_parallel > 1 else "")
    return words + ("+EP" if how.expert_parallel else "")


def price(page: Page, plan: FleetPlan) -> str:
    """What it costs, as far as anybody knows."""
    t, cost = page.texts, plan.cost
    words = t("fplan.takes", cards=cost.cards, free=plan.free_cards)
    if cost.nodes:
        words += t("fplan.takes_nodes", nodes=cost.nodes)
    if not cost.cards:
        return words + t("fplan.usd_none")
    return words + (t("fplan.usd", usd=f"{cost.usd_per_hour:,.2f}") if plan.priced else t("fplan.usd_unknown"))


def asked(page: Page, target: Target) -> str:
    """The load in words."""
    t = page.texts
    load = t("fplan.users", users=f"{target.load:g}") if target.users is not None else t("fplan.rate", rate=f"{target.load:g}")
    return t("fplan.asked", load=load, prompt=f"{target.prompt_tokens:,}", answer=f"{target.answer_tokens:,}", longest=f"{target.length:,}")


def one(page: Page, placed: Placed) -> list[str]:
    """What serves one target: its times against the goals, the memory of a rank, what starts it."""
    t = page.texts
    target = placed.target
    lines = indented(page.paint(target.model.name, "strong") + t("fleet.colon") + asked(page, target), page.width, EDGE)
    for part in placed.way.parts:
        layout, now = part.layout, placed.under(part)
        low, high = layout.paced.band()
        told = [
            (
                t("fplan.first"),
                t(
                    "fplan.first_is",
                    p50=seconds(now.first_p50_s),
                    p90=seconds(now.first_p90_s),
                    least=seconds(now.first_least_s),
                    most=seconds(now.first_most_s),
                    goal=seconds(target.first_token_s),
                ),
            ),
            (
                t("fplan.between"),
                t(
                    "fplan.between_is",
                    likely=seconds(now.token_s),
                    least=seconds(now.token_s * low),
                    most=seconds(now.token_s * high),
                    goal=seconds(target.token_s),
                ),
            ),
            (t("fplan.at_once"), at_once(page, part, now.batch)),
            (t("fplan.memory"), memory(page, layout)),
            (t("fplan.carries"), carries(page, placed, part)),
        ]
        if len(placed.way.parts) > 1:
            lines += ["", EDGE + page.paint(f"{short_device(layout.on.name)}, {layout.engine} {split(layout.split)}", "strong")]
        lines += pairs(page, told)
        lines += [page.paint(line, "command") for line in indented(layout.command(target), page.width, EDGE + "  ")]
        if on_ray := layout.ray_command(target, part.replicas):
            lines += [*indented(t("fplan.on_ray"), page.width, EDGE)]
            lines += [page.paint(line, "command") for line in indented(on_ray, page.width, EDGE + "  ")]
    return lines


def at_once(page: Page, part: Part, batch: float) -> str:
    """Requests that run at the same time, of those that may."""
    t, layout = page.texts, part.layout
    words = t("fplan.at_once_is", batch=f"{batch:.1f}", places=f"{layout.paced.places:,}")
    if isinstance(layout.breakdown, ServingBreakdown) and layout.breakdown.pool:
        words += t("fplan.at_once_full", full=f"{layout.breakdown.max_concurrency:.1f}")
    return words


def memory(page: Page, layout: Layout) -> str:
    """Of the fullest rank, by part; what a host's pools take."""
    t = page.texts
    ranks = layout.rank_bytes()
    fullest = max(ranks, key=lambda parts: sum(parts.values()))
    parts = t("list.comma").join(f"{t.named('part', part)} {page.bytes(bytes)}" for part, bytes in fullest.items())
    card = layout.on.card
    pool = layout.on.machine.pool(card.pool) if card is not None and not layout.whole else None
    total = page.bytes(sum(fullest.values()))
    return (
        t("fplan.memory_is", total=total, card=page.bytes(pool.bytes), parts=parts)
        if pool is not None
        else f"{total}{t('fleet.colon')}{parts}"
    )


def carries(page: Page, placed: Placed, part: Part) -> str:
    """What one replica takes within the goals, and what it gets."""
    key = "fplan.carries_users" if placed.target.users is not None else "fplan.carries_rate"
    return page.texts(key, most=number(part.layout.capacity), gets=number(placed.load_each(part)))


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


def listed(page: Page, names: Sequence[str]) -> str:
    """Names of nodes, the rest counted."""
    more = f" +{len(names) - MOST_SEATS}" if len(names) > MOST_SEATS else ""
    return page.texts("list.comma").join(names[:MOST_SEATS]) + more


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


def workings(page: Page, plan: FleetPlan) -> list[str]:
    """How replicas were counted."""
    t = page.texts
    texts = []
    for placed in plan.placed:
        for part in placed.way.parts:
            layout = part.layout
            texts += step_of(page, placed, part)
            pool = layout.breakdown.pool if isinstance(layout.breakdown, ServingBreakdown) else None
            if pool is not None:
                blocks, each = int(plain(pool.num_blocks)), int(plain(pool.blocks_per_request))
                texts.append(
                    t(
                        "fplan.why_pool",
                        model=placed.target.model.name,
                        blocks=f"{blocks:,}",
                        each=f"{each:,}",
                        full=f"{blocks / each:.1f}" if each else "–",
                    )
                )
            texts.append(t("fplan.why_capacity", model=placed.target.model.name, most=number(layout.capacity)))
        spare = t("fplan.why_spare", together=placed.way.together) if placed.way.together else ""
        sum_of = " + ".join(f"{part.replicas} × {number(part.layout.capacity)}" for part in placed.way.parts)
        texts.append(
            t(
                "fplan.why_replicas",
                model=placed.target.model.name,
                sum=sum_of,
                capacity=number(placed.way.capacity),
                load=number(placed.target.load),
            )
            + spare
        )
    return texts


def step_of(page: Page, placed: Placed, part: Part) -> list[str]:
    """What a step of a server on cards spends its time on, with the batch that it has."""
    from sizeup.engines.serving.step_time import stage_parts
    from sizeup.engines.serving.step_work import Step
    from sizeup.fleet.paced import Serving

    paced = part.layout.paced
    if not isinstance(paced, Serving):
        return []
    batch = placed.under(part).batch
    now = Step(max(batch / len(paced.replica.stages), 1.0), placed.target.prompt_tokens + placed.target.answer_tokens / 2)
    spent = [stage_parts(stage, rates, paced.replica.pace, now) for stage, rates in paced.replica.stages]
    memory, compute, talk = (seconds(sum(float(times[kind]) for times in spent)) for kind in range(3))
    words = page.texts(
        "fplan.why_step",
        model=placed.target.model.name,
        batch=f"{batch:.1f}",
        memory=memory,
        compute=compute,
        talk=talk,
        fixed=seconds(paced.replica.pace.fixed_s + float(now.batch) * paced.replica.pace.sequence_s),
    )
    return [words]


def others(page: Page, plan: FleetPlan) -> list[str]:
    """Every way that does not do, with its reason."""
    t = page.texts
    texts = []
    for target, rejected in zip(plan.targets, plan.rejected, strict=True):
        for one in rejected:
            value = page.bytes(one.value) if one.why == "memory" else seconds(one.value)
            reason = t.sentence(one.told) if one.told else t(f"fplan.out_{one.why}", value=value)
            how = " ".join(word for word in (one.engine, one.quant, split(one.split)) if word and word != "–")
            texts.append(f"{target.model.name}, {short_device(one.on)}, {how}{t('fleet.colon')}{reason}")
    return list(dict.fromkeys(texts)) or [t("fplan.none_rejected")]


def seconds(count: float) -> str:
    """26 ms, 1.92 s, ∞."""
    if count == float("inf"):
        return "∞"
    return f"{count * 1000:.3g} ms" if count < 0.9995 else f"{count:.3g} s" if count < 999.5 else f"{count:,.0f} s"


def number(count: float) -> str:
    """With the digits that mean something."""
    return f"{count:,.0f}" if count >= 100 or count == int(count) else f"{count:.3g}"
