"""Proving many models in a row: which agree with the engine in every part, which do not, which it would not plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sizeup.engines import engine as find_engine
from sizeup.errors import EngineFailed, SizeupError
from sizeup.probe import machine
from sizeup.readers import catalogue_data
from sizeup.readers.catalogue import find
from sizeup.search import make_plan

from .prove import prove


class Row(NamedTuple):
    """One model and what became of it."""

    model: str
    architecture: str
    differences: dict[str, int]
    """Bytes that the engine plans more than we say, by part; parts that are equal are left out."""
    refused: str = ""
    """Why neither plans it: the engine's own reason, or ours before it was asked."""

    @property
    def equal(self) -> bool:
        return not self.differences and not self.refused


def census(family: str = "", quant: str = "Q4_K_M", context_tokens: int = 8192, most: int | None = None, **settings: Any) -> Iterator[Row]:
    """A row for every catalogue model that the engine has an architecture for; `family` names one, `most` bounds models per architecture."""
    engine, box = find_engine("llama.cpp"), machine()
    counts: dict[str, int] = {}
    for name in catalogue_data.index().ids:
        try:
            spec = find(name)
        except SizeupError:
            continue
        if (family and spec.architecture != family) or (most is not None and counts.get(spec.architecture, 0) >= most):
            continue
        counts[spec.architecture] = counts.get(spec.architecture, 0) + 1
        asked = engine.Settings(context_tokens=min(context_tokens, spec.context_tokens or context_tokens), **settings)
        try:
            found = prove(make_plan(spec, box, engine, quant, engine.on(asked, box, settings)))
        except EngineFailed as error:
            yield Row(name, spec.architecture, {}, reason(error))
        except SizeupError as error:
            yield Row(name, spec.architecture, {}, error.message)
        else:
            yield Row(name, spec.architecture, {part: gap for part, gap in found.difference_bytes.items() if gap})


def reason(error: EngineFailed) -> str:
    """The engine's own line that says why, else our sentence."""
    said = [line for line in error.log.splitlines() if any(word in line for word in ("rror loading model", "GGML_ASSERT", "fatal error"))]
    return said[0].rpartition("error loading model")[2].strip(": ") if said else error.message
