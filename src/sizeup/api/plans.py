"""Plans and speeds as JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..choice import Choice, kept_share
from ..figure import plain
from ..plan import Plan, Speed, SpeedEstimate
from .fields import fields


def plan_json(plan: Plan) -> dict[str, Any]:
    """A plan: verdict, settings, breakdown, speed, free room, command, evidence."""
    return {
        "model": plan.model.name,
        "machine": plan.machine.name,
        "engine": plan.engine,
        "quant": plan.quant,
        "fits": plan.fits,
        "why": plan.why,
        "quality_kept": kept_share(plan.model, plan.asked_quant, plan.settings),
        "settings": {name: plain(value) for name, value in fields(plan.settings).items() if _is_plain(plain(value))},
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


def _is_plain(value: Any) -> bool:
    return isinstance(value, (int, float, str, bool, type(None), list, tuple))


def choice_json(choice: Choice) -> dict[str, Any]:
    """One way of the front: its plan, and the figures that no other way beats all at once."""
    return {
        **plan_json(choice.trial.plan()),
        "quality_kept": choice.kept,
        "tokens_per_s": choice.tokens_per_s,
        "first_token_s": choice.first_token_s,
        "context_tokens_each": choice.context_tokens,
        "room_bytes": choice.room_bytes,
    }
