"""Answers with their words, for screens that lay out by themselves."""

from __future__ import annotations

from ..comparison.rows import ComparisonJson
from ..render.guide_tables import TableTold
from ..render.told import ComparisonTold, Told
from .markets import TableJson
from .plans import FitJson, PlanJson


class ToldFitJson(FitJson):
    """The best plan, the others, what fits instead; and all of it in words."""

    told: Told


class PlannedJson(PlanJson):
    """One plan of exactly the settings asked for."""

    verdict: str
    longest_context_tokens: int | None


class ToldPlanJson(PlannedJson):
    """The same with its words."""

    told: Told


class ToldComparisonJson(ComparisonJson):
    """Things side by side, and all of it in words."""

    told: ComparisonTold


class ToldTableJson(TableJson):
    """One of the tables, and all of it in words."""

    told: TableTold
