"""Fewer heads: whole query heads with their keys and values, or the same query heads over fewer keys and values (GQA)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sizeup.errors import UserError
from sizeup.layers import Attention, Block, LatentAttention, Part
from sizeup.model import ModelSpec

from .shape import below, each, parts_of, reshaped


def fewer_heads(model: ModelSpec, heads: int) -> ModelSpec:
    """The model with so many query heads. Whole groups go with their key and value heads where that comes out even; else groups
    get smaller. Raises UserError where neither does, with the numbers that do."""
    attention = parts_of(model, Attention, LatentAttention)
    have, shared = _one("heads", attention, model), _one("kv_heads", attention, model)
    below("--heads", heads, have, "query heads")
    if not heads * shared % have:
        kv_heads = heads * shared // have
    elif not heads % shared:
        kv_heads = shared
    else:
        valid = [count for count in range(1, have) if not count * shared % have or not count % shared]
        near = sorted(valid, key=lambda count: abs(count - heads))[:2]
        raise UserError(
            f"{heads} query heads cannot share {shared} key and value heads of {model.name} evenly.",
            "--heads " + " or ".join(map(str, sorted(near))) if near else "--layers",
        )
    return _changed(model, heads / have, heads, kv_heads)


def fewer_kv_heads(model: ModelSpec, kv_heads: int) -> ModelSpec:
    """The model with all its query heads over so many key and value heads. Raises UserError where groups come out uneven."""
    attention = parts_of(model, Attention)
    if not attention:
        raise UserError(f"{model.name} has no key and value heads that queries could share.", "--kv-type q8_0")
    heads, have = _one("heads", attention, model), _one("kv_heads", attention, model)
    below("--kv-heads", kv_heads, have, "key and value heads")
    if heads % kv_heads:
        near = [count for count in range(1, have) if not heads % count]
        raise UserError(
            f"{heads} query heads cannot share {kv_heads} key and value heads evenly.",
            "--kv-heads " + " or ".join(map(str, near[-2:])),
        )
    return _changed(model, 1.0, heads, kv_heads)


def _changed(model: ModelSpec, share: float, heads: int, kv_heads: int) -> ModelSpec:
    def change(block: Block) -> Block:
        return replace(block, mixers=tuple(_resized(part, share, heads, kv_heads) for part in block.mixers))

    dims = {part.key_dim for part in parts_of(model, Attention)}
    stated = {"head_dim": dims.pop()} if len(dims) == 1 else {}
    config = {"num_attention_heads": heads, "num_key_value_heads": kv_heads, **stated}
    return reshaped(model, each(model, change), config=config)


def _resized(part: Part, share: float, heads: int, kv_heads: int) -> Part:
    if isinstance(part, LatentAttention):
        return replace(part, heads=heads)
    if not isinstance(part, Attention):
        return part
    return replace(part, heads=heads, kv_heads=kv_heads, separate_gate=round(part.separate_gate * share))


def _one(field: str, attention: Sequence[Attention | LatentAttention], model: ModelSpec) -> int:
    """The one number that all attention layers have. Raises UserError where they differ."""
    counts = {getattr(part, field, part.heads) for part in attention}
    if len(counts) != 1:
        raise UserError(f"Attention layers of {model.name} differ in their heads.", "--layers")
    return int(counts.pop())
