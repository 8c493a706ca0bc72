"""Pretraining, datasets and purposes as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict, cast

from ..facts import Source
from ..interval import Interval
from ..shape import as_json
from .fields import interval_json

if TYPE_CHECKING:
    from ..datasets.count import Dataset
    from ..pretraining import Pretraining
    from ..sft import Purpose


class PretrainingPlanJson(TypedDict):
    """One number of tokens for one size, and what it takes."""

    kind: str
    tokens: int
    tokens_interval: Interval | None
    tokens_per_parameter: float
    flops_per_token: float
    flops: float
    rule_6nd_flops: float
    loss_nats_per_token: Interval | None
    device_hours: Interval | None
    days: Interval | None
    tokens_per_s: Interval | None
    wanted_days: float | None
    devices_for_wanted_days: Interval | None
    usd: Interval | None
    usd_per_device_hour: Interval | None
    device_kwh: Interval | None


class LawJson(TypedDict):
    """A scaling law and its best number of tokens."""

    name: str
    tokens: float
    current: bool
    source: Source


class PublishedRunJson(TypedDict):
    """A published run of a model near this size."""

    model: str
    active_parameters: int
    tokens: int | None
    tokens_per_parameter: float | None
    includes: str | None
    source: Source


class PretrainingJson(TypedDict):
    """Training plans side by side, and the facts that they rest on."""

    model: str | None
    parameters: int
    active_parameters: int
    best_parameters: Interval | None
    sequence_tokens: int
    recompute: str
    flops_from_layers: bool
    device: str
    devices: int | None
    device_flops_per_s: float
    device_watts: float | None
    mfu: Interval | None
    stated_mfu: Interval | None
    plans: list[PretrainingPlanJson]
    laws: list[LawJson]
    published: list[PublishedRunJson]
    assumed: list[str]


class DatasetJson(TypedDict):
    """What a file of examples holds."""

    path: str
    examples: int
    empty: int
    fields: list[str]
    passed_over: list[str]
    characters: int
    characters_by_kind: dict[str, int] | None
    tokens: Interval
    median_tokens: int
    p95_tokens: int
    longest_tokens: int
    counted: bool
    tokenizer: str | None
    notes: list[str]


class TaughtJson(TypedDict):
    """Published work that taught something with so many examples."""

    examples: int
    what: str
    source: Source


class PurposeJson(TypedDict):
    """Examples that one purpose takes."""

    purpose: str
    low: int
    high: int
    evidence: list[TaughtJson]


class PurposesJson(TypedDict):
    """Examples by purpose."""

    purposes: list[PurposeJson]


def pretraining_json(found: Pretraining) -> PretrainingJson:
    """Training plans: intervals as low, middle and high, each with its source; what is unknown is null."""
    fleet = found.fleet
    return {
        "model": found.model or None,
        "parameters": found.parameters,
        "active_parameters": found.active_parameters,
        "best_parameters": interval_json(found.size_spread),
        "sequence_tokens": found.sequence_tokens,
        "recompute": found.recompute,
        "flops_from_layers": found.layered,
        "device": fleet.device,
        "devices": fleet.devices,
        "device_flops_per_s": fleet.flops_per_s,
        "device_watts": fleet.watts,
        "mfu": interval_json(fleet.mfu),
        "stated_mfu": interval_json(found.stated_mfu),
        "plans": [
            {
                "kind": plan.kind,
                "tokens": plan.tokens,
                "tokens_interval": interval_json(plan.tokens_spread),
                "tokens_per_parameter": plan.tokens_per_parameter,
                "flops_per_token": plan.flops_per_token,
                "flops": plan.cost.flops,
                "rule_6nd_flops": plan.rule_flops,
                "loss_nats_per_token": interval_json(plan.loss),
                "device_hours": interval_json(plan.cost.device_hours),
                "days": interval_json(plan.cost.days),
                "tokens_per_s": interval_json(plan.cost.tokens_per_s),
                "wanted_days": plan.cost.wanted_days,
                "devices_for_wanted_days": interval_json(plan.cost.devices_needed),
                "usd": interval_json(plan.cost.usd),
                "usd_per_device_hour": interval_json(plan.cost.usd_per_device_hour),
                "device_kwh": interval_json(plan.cost.kwh),
            }
            for plan in found.plans
        ],
        "laws": [
            {"name": name, "tokens": tokens, "current": current, "source": as_json(source)}
            for name, tokens, current, source in found.by_law
        ],
        "published": [
            {
                "model": run.model,
                "active_parameters": run.active_parameters,
                "tokens": run.tokens,
                "tokens_per_parameter": run.tokens_per_parameter,
                "includes": run.includes or None,
                "source": as_json(run.source),
            }
            for run in found.published
        ],
        "assumed": list(found.assumed),
    }


def dataset_json(found: Dataset) -> DatasetJson:
    """A dataset file: examples, tokens as an interval, lengths of examples."""
    content = dataclasses.asdict(found)
    content.pop("by_kind")
    return cast(DatasetJson, content | {"characters_by_kind": dict(found.by_kind) or None, "tokenizer": found.tokenizer or None})


def purposes_json(known: Sequence[Purpose]) -> PurposesJson:
    """Examples by purpose, with the published work behind them."""
    return {
        "purposes": [
            {
                "purpose": purpose.name,
                "low": purpose.low,
                "high": purpose.high,
                "evidence": [{"examples": e.examples, "what": e.what, "source": as_json(e.source)} for e in purpose.evidence],
            }
            for purpose in known
        ]
    }
