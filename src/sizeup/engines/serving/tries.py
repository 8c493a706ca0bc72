"""Quantisations that a search tries."""

from __future__ import annotations

from ...facts import data_json
from ...model import ModelSpec
from ...quant import quant
from .formats import format_of, stored_format


def formats(model: ModelSpec) -> list[str]:
    """The checkpoint's own, then smaller ones where that has 16 bits. Raises UserError for a GGUF file."""
    format_of(model, None)
    own = stored_format(model)
    if quant(own).block > 1 or quant(own).block_bytes < 2:
        return [own]
    return [own, *data_json("serving_formats.json")["try"]]
