"""The operations of sizeup, once for every skin: the same JSON from the command line, REST and tools for assistants.

Integers stay integers; keys end in `_bytes`, `_tokens`, `_s` or `_per_s`; unknown is null.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .figure import plain
from .hardware import Machine
from .model import ModelSpec
from .plan import Measurement, Plan, Speed, SpeedEstimate

if TYPE_CHECKING:
    from .datasets.count import Dataset
    from .ghost.keep import Keepsake
    from .interval import Interval
    from .pretraining import Pretraining
    from .sft import Purpose


def plan_json(plan: Plan) -> dict[str, Any]:
    """A plan: verdict, settings, breakdown, speed, free room, command, evidence."""
    return {
        "model": plan.model.name,
        "machine": plan.machine.name,
        "engine": plan.engine,
        "quant": plan.quant,
        "fits": plan.fits,
        "why": plan.why,
        "settings": {name: plain(value) for name, value in _fields(plan.settings).items() if _is_plain(plain(value))},
        "breakdown": plan.breakdown.to_json(),
        "free_bytes": plan.free_bytes,
        "speed": speeds_json(plan.speed),
        "command": plan.command,
        "evidence": [dataclasses.asdict(evidence) for evidence in plan.evidence],
        "warnings": list(plan.model.warnings),
        "assumed": list(plan.model.assumed),
    }


def fit_json(plans: list[Plan], nearest: list[Plan], longest_context_tokens: int | None) -> dict[str, Any]:
    """The best plan, with the other plans for the same model, what fits instead when it does not, and its longest context."""
    return {
        **plan_json(plans[0]),
        "longest_context_tokens": longest_context_tokens,
        "others": [plan_json(plan) for plan in plans[1:]],
        "nearest": [plan_json(plan) for plan in nearest],
    }


def speeds_json(speed: SpeedEstimate) -> dict[str, Any]:
    """All speeds of a plan: prompt, answer over an empty and over a full context, loading, power."""
    energy = speed.joules(1000)
    return {
        "prefill": speed_json(speed.prefill),
        "decode": speed_json(speed.decode),
        "decode_full": speed_json(speed.full),
        "load_s": speed.load_s,
        "joules_per_1000_tokens": None if energy is None else {"lower": energy[0], "upper": energy[1]},
    }


def speed_json(speed: Speed | None) -> dict[str, Any] | None:
    """A speed as an interval, in tokens per second."""
    if speed is None:
        return None
    return {
        "tokens_per_s": speed.tokens_per_s,
        "lower_tokens_per_s": speed.lower,
        "upper_tokens_per_s": speed.upper,
        "bound_by": speed.bound_by,
        "basis": speed.basis,
    }


def model_json(model: ModelSpec) -> dict[str, Any]:
    """What was read of a model, with its layers by kind and where it is from."""
    return {
        "name": model.name,
        "architecture": model.architecture or None,
        "model_type": model.model_type or None,
        "parameters": model.parameters,
        "active_parameters": model.active_parameters,
        "stored": model.stored,
        "quant": model.mix,
        "stored_bytes": sum(t.bytes for t in model.tensors) if model.tensors and all(t.type for t in model.tensors) else None,
        "tensors": len(model.tensors) or None,
        "hidden": model.hidden,
        "vocabulary_tokens": model.vocabulary,
        "context_tokens": model.context_tokens,
        "layers": model.layers,
        "groups": [
            {
                "layers": group.layers,
                "positions": list(group.positions),
                "parts": [{"kind": type(part).__name__, **_shapes(part)} for part in group.block.parts[:-1]],
                "parameters": int(group.block.parameters(model.hidden)),
            }
            for group in model.groups
        ],
        "towers": [{"kind": tower.kind, "parameters": tower.parameters()} for tower in model.towers],
        "draft_layers": sum(group.layers for group in model.draft_blocks),
        "source": dataclasses.asdict(model.source),
        "warnings": list(model.warnings),
        "assumed": list(model.assumed),
        "card": {
            key: model.card.get(key) for key in ("id", "license", "release_date", "modality", "check", "published_source") if model.card
        },
    }


def ghost_json(model: ModelSpec, ghost: Keepsake, where: Path) -> dict[str, Any]:
    """A ghost that was written: its files, its tensors beside our count, and the commands that load it."""
    return {
        "model": model.name,
        "folder": str(where),
        "format": ghost.format,
        "class": ghost.class_name or None,
        "dtype": ghost.dtype or None,
        "tensors": ghost.tensors,
        "parameters": ghost.parameters or None,
        "expected_parameters": model.parameters,
        "file_bytes": ghost.file_bytes,
        "disk_bytes": ghost.disk_bytes,
        "files": [{"name": file.name, "file_bytes": file.file_bytes, "disk_bytes": len(file.content)} for file in ghost.files],
        "notes": list(ghost.notes),
        "commands": list(ghost.commands_for(where)),
    }


def machine_json(machine: Machine) -> dict[str, Any]:
    """A machine: pools, devices, disks, limits, each with its source."""
    return dataclasses.asdict(machine)


def proof_json(proof: Measurement) -> dict[str, Any]:
    """A proof: what was predicted and what the engine plans, part by part."""
    return measurement_json(proof, {part: planned - proof.difference_bytes.get(part, 0) for part, planned in proof.buffers.items()})


def measurement_json(measurement: Measurement, predicted: dict[str, int]) -> dict[str, Any]:
    """A measurement with the prediction beside it, part by part."""
    parts = {
        part: {
            "predicted_bytes": predicted.get(part),
            "measured_bytes": measured,
            "difference_bytes": None if part not in predicted else measured - predicted[part],
        }
        for part, measured in measurement.buffers.items()
    }
    points = [
        {**dataclasses.asdict(point), "reached": point.reached, "each_tokens_per_s": point.each_tokens_per_s}
        for point in measurement.points
    ]
    return {**dataclasses.asdict(measurement), "points": points, "parts": parts}


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


def interval_json(interval: Interval | None) -> dict[str, Any] | None:
    """Lowest, middle and highest value with the source; null when unknown."""
    return None if interval is None else dataclasses.asdict(interval)


def _fields(thing: Any) -> dict[str, Any]:
    return {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}


def _shapes(part: Any) -> dict[str, Any]:
    return {
        name: (_shapes(value) if dataclasses.is_dataclass(value) else value)
        for name, value in _fields(part).items()
        if value not in (0, "", False, None)
    }


def _is_plain(value: Any) -> bool:
    return isinstance(value, (int, float, str, bool, type(None), list, tuple))
