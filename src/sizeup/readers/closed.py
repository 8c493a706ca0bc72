"""Models whose weights and sizes nobody published: named as such, with the open model that scores nearest, never "not found"."""

from __future__ import annotations

import functools
import re
from typing import Any

from sizeup.errors import ClosedModel
from sizeup.facts import data_json

OWNERS = r"(openai|anthropic|google|vertex_?ai|xai|x-ai|mistralai|mistral|amazon|bedrock|cohere|azure|models|openrouter)"


def check_open(name: str) -> None:
    """Raise ClosedModel when `name` is a model that can only be rented."""
    row = closed(name)
    if row is None:
        return
    message = (
        f"{row['name']} is closed: {row['vendor']} publishes neither its size nor its weights, so there is nothing to run or to count."
    )
    near = row.get("nearest")
    if near is None:
        raise ClosedModel(message, "sizeup models, for what runs here instead")
    whose = near.get("by_the_scores_of", row["name"])
    raise ClosedModel(
        message,
        f"{near['id']}, the open model whose published scores lie nearest to {whose}'s "
        f"({near['gap']} points apart on average over {len(near['scores'])} benchmarks; for orientation only)",
    )


def closed(name: str) -> dict[str, Any] | None:
    """The row of a closed model by what people call it; None for everything else, open relatives of closed models included."""
    plain = re.sub(r"[\s_]+", "-", name.strip().lower())
    plain = re.sub(rf"^({OWNERS}[/.:])+", "", plain).split(":")[0]
    return next((row for row, pattern in _rows() if pattern.fullmatch(plain)), None)


@functools.cache
def _rows() -> tuple[tuple[dict[str, Any], re.Pattern[str]], ...]:
    return tuple((row, re.compile(row["pattern"])) for row in data_json("closed_models.json")["closed"])
