"""A ranking of models as JSON."""

from __future__ import annotations

from typing import TypedDict

from ..corrections import Learned
from ..facts import Source
from ..hardware import Machine
from ..quality import Score
from ..quality_rows import results
from ..quant_loss import Kept
from ..recommend import Choice, Ranking
from ..shape import as_json
from .plans import SpeedJson, speed_json


class ScoreJson(TypedDict):
    """A score of 0 to 100 with its 80 % interval."""

    value: float
    lower: float
    upper: float
    basis: str
    rows: int
    task: str


class KeptJson(TypedDict):
    """The share of quality that a mix leaves."""

    share: float
    lower: float
    upper: float
    basis: str
    kin: str
    nats: float


class RankedJson(TypedDict):
    """One ranked model."""

    model: str
    quant: str
    parameters: int
    active_parameters: int
    score: ScoreJson
    kept: KeptJson
    worth: float
    fits: bool
    placed: str
    needed_bytes: int
    missing_bytes: int
    decode: SpeedJson | None
    context_tokens: int
    longest_context_tokens: int | None
    license: str | None
    modality: str | None
    family: str | None
    release_date: str | None
    dated_by: str | None
    made_of: str | None


class LessonJson(TypedDict):
    """Measured over predicted for a part, on the host ("ram") or on cards ("vram")."""

    engine: str
    version: str
    part: str
    side: str
    factor: float
    spread: float
    runs: int
    date: str


class RankingJson(TypedDict):
    """The best models, and what stood in the way of more."""

    task: str
    slowest_tokens_per_s: float
    met: bool
    models_without_wish: dict[str, int]
    corrections: list[LessonJson]
    """What the machine's own logs said of parts, which the bytes take into account."""
    models: list[RankedJson]


class MachineRankingJson(RankingJson):
    """A ranking with the machine that it is for."""

    machine: Machine


class ResultJson(TypedDict):
    """One benchmark result."""

    name: str
    benchmark: str
    task: str
    score: float
    self_reported: bool
    grade: str
    source: Source


class PlacedJson(RankedJson):
    """One model with everything behind its place."""

    machine: Machine
    results: list[ResultJson]


def ranking_json(found: Ranking) -> RankingJson:
    """A ranking of models: what was asked, what was excluded by which wish, and every model with its score, bytes and speed in outline."""
    return {
        "task": found.task,
        "slowest_tokens_per_s": found.slowest_tokens_per_s,
        "met": found.met,
        "models_without_wish": found.excluded,
        "corrections": [_lesson(one) for one in found.lessons],
        "models": [choice_json(choice) for choice in found.choices],
    }


def choice_json(choice: Choice) -> RankedJson:
    """One ranked model; its bytes and speed are outlined from columns, `sizeup fit` is exact."""
    facts = choice.listed.facts
    return {
        "model": choice.model,
        "quant": choice.quant,
        "parameters": choice.listed.parameters,
        "active_parameters": choice.listed.active_parameters,
        "score": _score(choice.score),
        "kept": _kept(choice.kept),
        "worth": choice.worth,
        "fits": choice.outline.fits,
        "placed": choice.outline.placed,
        "needed_bytes": choice.outline.needed_bytes,
        "missing_bytes": choice.outline.missing_bytes,
        "decode": speed_json(choice.speed),
        "context_tokens": choice.context_tokens,
        "longest_context_tokens": facts["context"],
        "license": facts["license"],
        "modality": facts["modality"],
        "family": facts["family"],
        "release_date": facts["date"] or None,
        "dated_by": facts["dated_by"] or None,
        "made_of": facts["made_of"] or None,
    }


def _lesson(one: Learned) -> LessonJson:
    return {
        "engine": one.engine,
        "version": one.version,
        "part": one.part,
        "side": one.side,
        "factor": one.factor,
        "spread": one.spread,
        "runs": one.runs,
        "date": one.date,
    }


def results_json(id: str) -> list[ResultJson]:
    """Every shipped benchmark result of a model, with its source."""
    return [
        {
            "name": one.name,
            "benchmark": one.benchmark,
            "task": one.task,
            "score": one.score,
            "self_reported": one.self_reported,
            "grade": one.grade,
            "source": as_json(one.source),
        }
        for one in results(id)
    ]


def _score(score: Score) -> ScoreJson:
    return {
        "value": score.value,
        "lower": score.lower,
        "upper": score.upper,
        "basis": score.basis,
        "rows": score.rows,
        "task": score.task,
    }


def _kept(kept: Kept) -> KeptJson:
    return {
        "share": kept.share,
        "lower": kept.lower,
        "upper": kept.upper,
        "basis": kept.basis,
        "kin": kept.kin,
        "nats": kept.nats,
    }
