"""Verdicts on browsers as JSON: the page's own names, written as everywhere in sizeup (snake case)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..browser.audience import Audience
    from ..browser.classes import Typical
    from ..browser.model import Model
    from ..browser.shares import Reach, Share
    from ..browser.verdict import Verdict
    from ..model import ModelSpec


def browsers_json(spec: ModelSpec, builds: Sequence[Model], rows: Sequence[tuple[Typical, Sequence[Verdict]]]) -> dict[str, Any]:
    """A model in typical browsers, with what of each browser is assumed."""
    from ..browser.verdict import verdict_json

    return {
        "model": spec.name,
        "builds": _builds(builds),
        "browsers": [
            {
                "browser": one.id,
                "assumed": list(one.assumed),
                "sources": one.sources,
                "verdicts": [_snake(verdict_json(verdict)) for verdict in verdicts],
            }
            for one, verdicts in rows
        ],
    }


def visitors_json(
    spec: ModelSpec, builds: Sequence[Model], audience: Audience, tokens_per_s: float, rows: Sequence[Reach]
) -> dict[str, Any]:
    """A model and an audience: shares from 0 to 1, of the sure and of the possible."""
    return {
        "model": spec.name,
        "builds": _builds(builds),
        "rows": len(audience.visitors),
        "ignored_columns": list(audience.ignored),
        "slowest_tokens_per_s": tokens_per_s,
        "engines": [
            {
                "engine": row.engine or "any",
                "download": _share(row.download),
                "load": _share(row.load),
                "pace": _share(row.pace),
                "main_reason": None
                if row.reason is None
                else {"key": row.reason.key, "figures": dict(row.reason.figures), "share": row.reason_share},
            }
            for row in rows
        ],
    }


def _builds(builds: Sequence[Model]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(build) for build in builds]


def _share(share: Share) -> dict[str, float]:
    return {"sure": share.sure, "possible": share.possible}


def _snake(content: Any) -> Any:
    if isinstance(content, dict):
        return {re.sub(r"(?<=[a-z])([A-Z])", lambda m: "_" + m[1].lower(), key): _snake(value) for key, value in content.items()}
    return [_snake(one) for one in content] if isinstance(content, list) else content
