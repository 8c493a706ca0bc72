"""What shrinking saves and costs as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from ..facts import Source
from ..interval import Interval
from ..shape import as_json
from .fields import interval_json
from .plans import SpeedJson, speed_json

if TYPE_CHECKING:
    from ..shrinking import Shrinkage
    from ..shrinking.cost import Cost
    from ..shrinking.evidence import Row
    from ..shrinking.weigh import Outcome


class StepJson(TypedDict):
    """One technique at one strength; `removed` is the share that goes, as published measurements count it."""

    technique: str
    strength: dict[str, Any]
    removed: float


class MeasuredJson(TypedDict):
    """A published measurement; of `kind` "points" only the difference is known."""

    technique: str
    removed: float
    method: str
    model: str
    parameters: int
    metric: str
    kind: str
    before: float | None
    after: float
    healed_tokens: int | None
    source: Source


class ToldJson(TypedDict):
    """What a source says in words."""

    text: str
    source: Source


class QualityJson(TypedDict):
    """The share of a task's score that is left; null where nobody measured something near."""

    share: float | None
    lower_share: float | None
    upper_share: float | None
    known_share: float
    unknown: list[str]
    measured: list[MeasuredJson]
    rests_on: list[str]
    scores: list[str]
    said: list[ToldJson]


class WorkJson(TypedDict):
    """What it takes to do: "none", "minutes", "hours", "retrain" or "pretrain"."""

    level: str
    training_tokens: int | None
    device: str | None
    device_hours: Interval | None


class OutcomeJson(TypedDict):
    """What the model has become by some steps. Null: llama.cpp does not run it, or nobody knows."""

    steps: list[StepJson]
    quant: str
    k: str
    v: str
    parameters: int
    active_parameters: int
    stored_bytes: int
    moved_bytes: int
    runs_in_llamacpp: bool
    refusal: str | None
    fits: bool | None
    memory_bytes: int | None
    decode: SpeedJson | None
    quality: QualityJson
    work: WorkJson


class NoteJson(TypedDict):
    """Something to know of a technique."""

    key: str
    values: dict[str, Any]


class FormatJson(TypedDict):
    """A format of another engine: weights as that engine holds them, and the share of quality left."""

    engine: str
    format: str
    stored_bytes: int
    share: float
    lower_share: float
    upper_share: float
    rests_on: str


class ShrinkJson(TypedDict):
    """Outcomes beside the model as it is."""

    model: str
    machine: str
    context_tokens: int
    base: OutcomeJson
    outcomes: list[OutcomeJson]
    together: OutcomeJson | None
    to_bytes: int | None
    reached: list[OutcomeJson]
    smallest_bytes: int | None
    formats: list[FormatJson]
    notes: list[NoteJson]


def shrink_json(found: Shrinkage) -> ShrinkJson:
    """Everything that was weighed. `smallest_bytes`: the least that any combination needs, where none reaches the size."""
    smallest = found.goal.smallest if found.goal else None
    return {
        "model": found.model.name,
        "machine": found.machine.name,
        "context_tokens": found.context_tokens,
        "base": outcome_json(found.base),
        "outcomes": [outcome_json(one) for one in found.alone],
        "together": None if found.together is None else outcome_json(found.together),
        "to_bytes": None if found.goal is None else found.goal.to_bytes,
        "reached": [outcome_json(one) for one in found.reached],
        "smallest_bytes": None if smallest is None else smallest.needed_bytes,
        "formats": [
            {
                "engine": one.engine,
                "format": one.name,
                "stored_bytes": one.stored_bytes,
                "share": one.kept.share,
                "lower_share": one.kept.lower,
                "upper_share": one.kept.upper,
                "rests_on": one.kept.kin,
            }
            for one in found.formats
        ],
        "notes": [{"key": note.key, "values": note.places} for note in found.notes],
    }


def outcome_json(one: Outcome) -> OutcomeJson:
    """One outcome in bytes, speed, quality and work."""
    form, work = one.form, one.cost.labour
    return {
        "steps": [{"technique": step.technique, "strength": step.places, "removed": step.removed} for step in one.steps],
        "quant": form.label,
        "k": form.k,
        "v": form.v,
        "parameters": form.parameters,
        "active_parameters": form.model.active_parameters,
        "stored_bytes": one.stored_bytes,
        "moved_bytes": one.moved_bytes,
        "runs_in_llamacpp": form.runnable and one.refusal is None,
        "refusal": None if one.refusal is None else one.refusal.message,
        "fits": None if one.plan is None else one.plan.fits,
        "memory_bytes": one.memory_bytes,
        "decode": speed_json(one.decode),
        "quality": quality_json(one.cost),
        "work": {
            "level": work.level,
            "training_tokens": work.tokens,
            "device": work.device or None,
            "device_hours": interval_json(work.device_hours),
        },
    }


def quality_json(cost: Cost) -> QualityJson:
    """What is left, and what says so."""
    low, high = cost.interval or (None, None)
    return {
        "share": cost.share,
        "lower_share": low,
        "upper_share": high,
        "known_share": cost.known_share,
        "unknown": list(cost.unknown),
        "measured": [measured_json(row) for row in cost.rows],
        "rests_on": list(cost.kin),
        "scores": list(cost.scores),
        "said": [{"text": text, "source": as_json(source)} for text, source in cost.told],
    }


def measured_json(row: Row) -> MeasuredJson:
    """A measurement as its source has it."""
    return {
        "technique": row.technique,
        "removed": row.removed,
        "method": row.method,
        "model": row.model,
        "parameters": row.parameters,
        "metric": row.metric,
        "kind": row.kind,
        "before": row.before,
        "after": row.after,
        "healed_tokens": row.healed_tokens,
        "source": as_json(row.source),
    }
