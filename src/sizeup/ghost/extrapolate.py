"""The whole model's figures from two rehearsals of fewer of its layers."""

from __future__ import annotations

import dataclasses
from typing import Any

from sizeup.plan import Measurement, Plan
from sizeup.points import Point

RATES = ("prefill_tokens_per_s", "decode_tokens_per_s")
JOULES = {"prefill_joules_per_1000_tokens": None, "decode_joules_per_1000_tokens": None}
"""Energy of fewer layers is not the whole's; nobody has looked whether it adds up as time does."""


def fastest(runs: list[Measurement]) -> Measurement:
    """The best of several runs of one ghost: what else the machine did can only have slowed the others."""
    points = tuple(
        dataclasses.replace(same[-1], **_best(list(same))) for same in zip(*(run.points for run in runs), strict=True)
    )  # fmt: skip
    return dataclasses.replace(runs[-1], repeats=sum(run.repeats for run in runs), points=points, **_best(runs))


def _best(runs: list[Any]) -> dict[str, Any]:
    return {name: max(getattr(run, name) or 0.0 for run in runs) or None for name in RATES}


def extrapolated(plan: Plan, few: Measurement, more: Measurement, few_layers: int, more_layers: int) -> Measurement:
    """The whole model's speed from two thin ones: what stands around the layers once, and what each layer adds."""

    def of(a: Measurement | Point, b: Measurement | Point) -> dict[str, Any]:
        spreads = {f"{task}_spread": max(getattr(a, f"{task}_spread"), getattr(b, f"{task}_spread")) for task in ("prefill", "decode")}
        rates = {name: _whole(getattr(a, name), getattr(b, name), few_layers, more_layers, plan.model.layers) for name in RATES}
        return {**rates, **spreads, **JOULES}

    points = tuple(dataclasses.replace(b, **of(a, b)) for a, b in zip(few.points, more.points, strict=True))
    return dataclasses.replace(more, model=plan.model.name, layers_run=more_layers, points=points, **of(few, more))


def _whole(few_rate: float | None, more_rate: float | None, few: int, more: int, whole: int) -> float | None:
    """Tokens per second with all layers: seconds a token are a constant and a cost per layer."""
    if not few_rate or not more_rate:
        return None
    per_layer = max((1 / more_rate - 1 / few_rate) / (more - few), 0.0)
    return 1 / (1 / more_rate + per_layer * (whole - more))
