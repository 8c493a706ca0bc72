"""A model as llama.cpp sees it: where its architecture knows no window, every layer looks at everything.

A config describes the model itself; files describe what the engine reads, so they are taken as they are. Mistral 7B v0.1 has a
window of 4,096 tokens that llama.cpp's `llama` architecture ignores, and Phi-3's is read past too: their caches grow in full.
"""

from __future__ import annotations

from dataclasses import replace

from ...facts import data_json
from ...layers import Attention, Block
from ...model import Group, ModelSpec

_KEPT = "_llamacpp_view"


def as_seen(model: ModelSpec) -> ModelSpec:
    """The model with windows that the engine ignores taken off; the same object when there are none. Kept on the instance."""
    if model.stored == "gguf" or not any(windowed(group.block) for group in model.groups):
        return model
    if model.architecture in data_json("gguf_architectures.json")["windows"]:
        return model
    seen: ModelSpec | None = model.__dict__.get(_KEPT)
    if seen is None:
        groups: dict[Block, list[int]] = {}
        for group in model.groups:
            groups.setdefault(without_window(group.block), []).extend(group.positions)
        seen = replace(model, groups=tuple(Group(block, tuple(sorted(places))) for block, places in groups.items()))
        model.__dict__[_KEPT] = seen
    return seen


def windowed(block: Block) -> bool:
    return any(isinstance(part, Attention) and part.window for part in block.mixers)


def without_window(block: Block) -> Block:
    mixers = tuple(replace(part, window=0, chunked=False) if isinstance(part, Attention) else part for part in block.mixers)
    return replace(block, mixers=mixers)
