"""A model as one engine downloads and loads it: bytes, the largest tensor, what it needs. Unknown is None."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATIC = Path(__file__).parents[1] / "web" / "static" / "browser"
"""The folder that any web server can serve; `python -m tools.browser_data` writes its data files."""


@dataclass(frozen=True, slots=True)
class Model:
    """One build of a model for one browser engine."""

    id: str
    engine: str
    name: str = ""
    kind: str = "chat"
    """"chat", or what else it is for: nothing but chat models generate."""
    quant: str | None = None
    parameters: int | None = None
    active_parameters: int | None = None
    """Weights that take part in one token, where those are fewer."""
    bytes: int | None = None
    """What is downloaded, the engine itself not counted."""
    precision: str | None = None
    """How `bytes` is known: "exact", "rounded" (three digits) or "derived" from the layers."""
    largest_file_bytes: int | None = None
    largest_tensor_bytes: int | None = None
    memory_bytes: int | None = None
    """What its makers say that it takes on a GPU."""
    context_tokens: int | None = None
    features: tuple[str, ...] = ()
    """WebGPU features it cannot do without."""
    gated: bool | None = None
    """Whether the hub answers 401 to a page."""
    source: str = ""
    date: str = ""
    note: str = ""

    @property
    def active(self) -> int | None:
        """Weights used for one token."""
        return self.active_parameters or self.parameters

    @property
    def token_bytes(self) -> float | None:
        """Bytes read for one token: the whole file, or the share of it that one token uses."""
        if self.bytes is None:
            return None
        if self.active_parameters and self.parameters:
            # The share first: the product of the two counts is beyond what JavaScript's numbers hold exactly.
            return self.bytes * (self.active_parameters / self.parameters)
        return self.bytes


NAMES = {
    "id": "id",
    "engine": "engine",
    "name": "name",
    "kind": "kind",
    "quant": "quant",
    "parameters": "parameters",
    "active_parameters": "activeParameters",
    "bytes": "bytes",
    "precision": "precision",
    "largest_file_bytes": "largestFileBytes",
    "largest_tensor_bytes": "largestTensorBytes",
    "memory_bytes": "memoryBytes",
    "context_tokens": "contextTokens",
    "features": "features",
    "gated": "gated",
    "source": "source",
    "date": "date",
    "note": "note",
}


def model_json(model: Model) -> dict[str, Any]:
    """The model by the names that the page uses; what is unknown or empty is left out."""
    found = {NAMES[field.name]: getattr(model, field.name) for field in dataclasses.fields(model)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items() if value not in (None, "", ())}


def from_json(content: Mapping[str, Any]) -> Model:
    """A model of a row that `model_json` wrote, or that a page made up; other keys are left alone."""
    found = {field: content[name] for field, name in NAMES.items() if content.get(name) is not None}
    return Model(**{**found, "features": tuple(found.get("features", ()))})


@functools.cache
def models() -> tuple[Model, ...]:
    """Every known build, in the order of the page."""
    return tuple(map(from_json, json.loads((STATIC / "models.json").read_bytes())["models"]))
