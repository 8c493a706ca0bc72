"""Formats of engines other than llama.cpp: what each stores of the model, and what is left of its quality."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sizeup.engines import engine as find_engine
from sizeup.errors import NotFound, Refused, UserError
from sizeup.figure import plain
from sizeup.memory import account
from sizeup.model import ModelSpec
from sizeup.quant import quants
from sizeup.quant_loss import Kept, kept

READERS = {"mlx": ("mlx-",), "transformers": ("bnb-",), "vllm": ("fp8-", "awq-", "gptq-", "ct-", "hf-nvfp4")}
"""Engine -> beginnings of the names of formats that it reads."""


class Format(NamedTuple):
    """One format under one engine."""

    engine: str
    name: str
    stored_bytes: int
    """Weights as the engine holds them once it has read them, on one device."""
    kept: Kept


def others(model: ModelSpec, context_tokens: int) -> Iterator[Format]:
    """Every format that one of these engines reads of this model and that stores less than 16 bits, the engine's own order left."""
    if model.stored == "gguf":
        return  # the other engines read checkpoints
    for name in READERS:
        whole = _weights(model, name, "BF16", context_tokens)
        for format in (one.name for one in quants().values() if one.name.startswith(READERS[name])):
            stored = _weights(model, name, format, context_tokens)
            if stored and whole and stored < whole:
                yield Format(find_engine(name).name, format, stored, kept(model, format))


def _weights(model: ModelSpec, engine: str, format: str, context_tokens: int) -> int | None:
    """None for what the engine refuses."""
    try:
        return int(plain(account(model, engine, format, context_tokens=context_tokens).bytes(part="weights")))
    except (Refused, UserError, NotFound):
        return None
