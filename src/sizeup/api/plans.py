"""Plans and speeds as JSON."""

from __future__ import annotations

from typing import Any, TypedDict

from ..choice import Choice, kept_share
from ..figure import plain
from ..plan import BreakdownJson, Evidence, Plan, Speed, SpeedEstimate
from ..shape import as_json
from .fields import fields


class SpeedJson(TypedDict):
    """Tokens per second as an interval, what binds them, and what they rest on."""

    tokens_per_s: float
    lower_tokens_per_s: float
    upper_tokens_per_s: float
    bound_by: str
    basis: str


class JoulesJson(TypedDict):
    """Energy of a thousand tokens."""

    lower: float
    upper: float


class SpeedsJson(TypedDict):
    """All speeds of a plan; null where nobody can know."""

    prefill: SpeedJson | None
    decode: SpeedJson | None
    decode_full: SpeedJson | None
    load_s: float | None
    joules_per_1000_tokens: JoulesJson | None


class PlanJson(TypedDict):
    """One way to run a model on a machine."""

    model: str
    machine: str
    engine: str
    quant: str
    fits: bool
    why: str
    quality_kept: float
    settings: dict[str, Any]
    breakdown: BreakdownJson
    needed_bytes: dict[str, int]
    """Pool -> what must be free in it: every claim at the upper end of its band."""
    free_bytes: dict[str, int]
    speed: SpeedsJson
    command: str
    evidence: list[Evidence]
    warnings: list[str]
    assumed: list[str]


class FitJson(PlanJson):
    """The best plan, the others, and what fits instead when it does not."""

    longest_context_tokens: int | None
    others: list[PlanJson]
    nearest: list[PlanJson]


class ChoiceJson(PlanJson):
    """One way of the front."""

    tokens_per_s: float | None
    first_token_s: float | None
    context_tokens_each: int
    room_bytes: int


class FrontJson(TypedDict):
    """Every way that no other beats in everything."""

    model: str
    machine: str
    front: list[ChoiceJson]


def plan_json(plan: Plan) -> PlanJson:
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
        "needed_bytes": {pool: plan.breakdown.needed_bytes(pool) for pool in plan.breakdown.by_pool()},
        "free_bytes": plan.free_bytes,
        "speed": speeds_json(plan.speed),
        "command": plan.command,
        "evidence": [as_json(evidence) for evidence in plan.evidence],
        "warnings": list(plan.model.warnings),
        "assumed": list(plan.model.assumed),
    }


def fit_json(plans: list[Plan], nearest: list[Plan], longest_context_tokens: int | None) -> FitJson:
    """The best plan, with the other plans for the same model, what fits instead when it does not, and its longest context."""
    return {
        **plan_json(plans[0]),
        "longest_context_tokens": longest_context_tokens,
        "others": [plan_json(plan) for plan in plans[1:]],
        "nearest": [plan_json(plan) for plan in nearest],
    }


def speeds_json(speed: SpeedEstimate) -> SpeedsJson:
    """All speeds of a plan: prompt, answer over an empty and over a full context, loading, power."""
    energy = speed.joules(1000)
    return {
        "prefill": speed_json(speed.prefill),
        "decode": speed_json(speed.decode),
        "decode_full": speed_json(speed.full),
        "load_s": speed.load_s,
        "joules_per_1000_tokens": None if energy is None else {"lower": energy[0], "upper": energy[1]},
    }


def speed_json(speed: Speed | None) -> SpeedJson | None:
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
    if isinstance(value, (list, tuple)):
        # Not the cards that a server sees, which are no setting that anybody types.
        return not any(isinstance(one, tuple) for one in value)
    return isinstance(value, (int, float, str, bool, type(None)))


def choice_json(choice: Choice) -> ChoiceJson:
    """One way of the front: its plan, and the figures that no other way beats all at once."""
    return {
        **plan_json(choice.trial.plan()),
        "quality_kept": choice.kept,
        "tokens_per_s": choice.tokens_per_s,
        "first_token_s": choice.first_token_s,
        "context_tokens_each": choice.context_tokens,
        "room_bytes": choice.room_bytes,
    }
