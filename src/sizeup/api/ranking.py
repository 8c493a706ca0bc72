"""A ranking of models as JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..quality_rows import results
from ..recommend import Choice, Ranking
from .plans import speed_json


def ranking_json(found: Ranking) -> dict[str, Any]:
    """A ranking of models: what was asked, what was excluded by which wish, and every model with its score, bytes and speed in outline."""
    return {
        "task": found.task,
        "slowest_tokens_per_s": found.slowest_tokens_per_s,
        "met": found.met,
        "models_without_wish": found.excluded,
        "models": [choice_json(choice) for choice in found.choices],
    }


def choice_json(choice: Choice) -> dict[str, Any]:
    """One ranked model; its bytes and speed are outlined from columns, `sizeup fit` is exact."""
    facts = choice.listed.facts
    return {
        "model": choice.model,
        "quant": choice.quant,
        "parameters": choice.listed.parameters,
        "active_parameters": choice.listed.active_parameters,
        "score": choice.score._asdict(),
        "kept": choice.kept._asdict(),
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


def results_json(id: str) -> list[dict[str, Any]]:
    """Every shipped benchmark result of a model, with its source."""
    return [{**result._asdict(), "source": dataclasses.asdict(result.source)} for result in results(id)]
