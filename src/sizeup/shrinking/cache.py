"""A smaller cache from the shape: neighbouring layers that share keys and values (cross-layer attention)."""

from __future__ import annotations

from dataclasses import replace

from sizeup.engines.llamacpp.tensors import blocks
from sizeup.errors import UserError
from sizeup.layers import Attention, Block
from sizeup.model import ModelSpec

from .shape import reshaped


def shared_keys(model: ModelSpec, neighbours: int) -> ModelSpec:
    """The model in which each run of so many like attention layers computes and keeps keys and values once, in its first."""
    stack = blocks(model)
    if not any(isinstance(part, Attention) and part.caches for _, block in stack for part in block.mixers):
        raise UserError(f"{model.name} has no layers that keep keys and values apart.", "--kv-type q8_0")
    if not 1 < neighbours <= model.layers:
        raise UserError(f"--share-kv {neighbours} shares nothing among {model.layers} layers.", "--share-kv 2")
    since: dict[int, int] = {}
    found: list[tuple[int, Block]] = []
    for position, block in stack:
        # Layers with a window and layers without keep different tokens, so each kind counts its own neighbours.
        window = next((part.window for part in block.mixers if isinstance(part, Attention) and part.caches), None)
        if window is None:
            found.append((position, block))
            continue
        count = since[window] = since.get(window, -1) + 1
        found.append((position, _reusing(block) if count % neighbours else block))
    return reshaped(model, found)


def _reusing(block: Block) -> Block:
    mixers = tuple(replace(part, caches=False, stores_kv=part.fused) if isinstance(part, Attention) else part for part in block.mixers)
    return replace(block, mixers=mixers)
