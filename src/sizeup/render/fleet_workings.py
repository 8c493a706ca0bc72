"""How the replicas of a plan for a cluster were counted, and every way that does not do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sizeup.figure import plain
from sizeup.page import Page
from sizeup.plan import ServingBreakdown

from .fleet_words import number, seconds, split
from .names import short_device

if TYPE_CHECKING:
    from sizeup.fleet.placing import FleetPlan, Placed
    from sizeup.fleet.ways import Part


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
