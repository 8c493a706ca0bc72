"""Pretraining, datasets and purposes as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .fields import interval_json

if TYPE_CHECKING:
    from ..datasets.count import Dataset
    from ..pretraining import Pretraining
    from ..sft import Purpose


def pretraining_json(found: Pretraining) -> dict[str, Any]:
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
            {"name": name, "tokens": tokens, "current": current, "source": dataclasses.asdict(source)}
            for name, tokens, current, source in found.by_law
        ],
        "published": [
            {
                "model": run.model,
                "active_parameters": run.active_parameters,
                "tokens": run.tokens,
                "tokens_per_parameter": run.tokens_per_parameter,
                "includes": run.includes or None,
                "source": dataclasses.asdict(run.source),
            }
            for run in found.published
        ],
        "assumed": list(found.assumed),
    }


def dataset_json(found: Dataset) -> dict[str, Any]:
    """A dataset file: examples, tokens as an interval, lengths of examples."""
    content = dataclasses.asdict(found)
    content.pop("by_kind")
    return content | {"characters_by_kind": dict(found.by_kind) or None, "tokenizer": found.tokenizer or None}


def purposes_json(known: Sequence[Purpose]) -> dict[str, Any]:
    """Examples by purpose, with the published work behind them."""
    return {
        "purposes": [
            {
                "purpose": purpose.name,
                "low": purpose.low,
                "high": purpose.high,
                "evidence": [{"examples": e.examples, "what": e.what, "source": dataclasses.asdict(e.source)} for e in purpose.evidence],
            }
            for purpose in known
        ]
    }
