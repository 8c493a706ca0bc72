"""What a training step takes, for programs."""

from __future__ import annotations

from typing import Any, TypedDict

from ..training.planned import TrainingPlanJson
from ..training.result import TrainingJson


class ChangeJson(TypedDict):
    """A change that makes it fit."""

    change: dict[str, Any]
    process_bytes: int
    peak_bytes: int


class TrainedJson(TrainingJson):
    """One step, and the changes that would make it fit."""

    nearest: list[ChangeJson]


class PlannedTrainingJson(TrainedJson):
    """The same for the best of several plans, where a machine but no method was named."""

    plan: TrainingPlanJson
    others: list[TrainingPlanJson]
