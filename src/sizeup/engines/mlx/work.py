"""What one decode step reads and computes under mlx-lm: every weight but looked-up rows, and the cache up to the last token."""

from __future__ import annotations

from collections.abc import Iterator

from ...figure import Number, least, plain
from ...layers import Attention, CompressedAttention, LatentAttention, Moe, Part, Shape
from ...model import ModelSpec
from ...work import Share, Work, experts_read, matrix_flops
from .cache import Form, latent, rings, state_bytes
from .formats import Format


def work(model: ModelSpec, format: Format, form: Form, depth: int, sequences: int) -> Work:
    """One new token for each of `sequences` that hold `depth` tokens. Not counted: norms, activations, rows of the embedding."""
    shares: dict[tuple[str, bool, float], list[Number]] = {}
    for name, shape, feed, layers in _weights(model):
        share, met = 1.0, float(sequences)
        if feed is not None:
            share = float(experts_read(feed.experts, feed.used, sequences)) / feed.experts
            met = sequences * feed.used / (feed.experts * share)
        entry = shares.setdefault((format.of(name, shape), feed is not None, met), [0, 0])
        entry[0] += layers * format.bytes(name, shape) * share
        entry[1] += layers * matrix_flops(_count(shape) * share, met)
    cache: Number = 0
    state: Number = 0
    mixing: Number = 0
    for group in model.groups:
        for part in group.block.mixers:
            seen = _seen(model, part, depth + 1)
            cache += group.layers * sequences * _read(model, part, seen, form)
            mixing += group.layers * sequences * part.mixing_flops(seen)
            if plain(part.state_values()):
                state += 2 * group.layers * sequences * state_bytes(part, form.float)
    layers = sum(len(group.positions) for group in model.groups)
    routers = sum(len(group.positions) for group in model.groups if isinstance(group.block.feed, Moe))
    told = tuple(Share(kind, read, flops, met, routed) for (kind, routed, met), (read, flops) in shares.items())
    return Work("vram:0", layers, routers, told, cache, state, mixing, sequences, depth)


def _weights(model: ModelSpec) -> Iterator[tuple[str, Shape, Moe | None, int]]:
    """Matrices that a step reads: name, shape, the experts that they belong to, and of how many layers."""
    hidden = int(plain(model.hidden))
    for group in model.groups:
        for part in group.block.parts:
            for name, shape in part.stored(hidden):
                if len(shape) > 1:
                    routed = isinstance(part, Moe) and "_exps" in name
                    yield name, shape, part if routed and isinstance(part, Moe) else None, len(group.positions)
    head = model.embedding if model.head.tied else model.head
    for name, shape in head.stored(hidden):
        if name in ("token_embd.weight", "output.weight"):
            yield name, shape, None, 1


def _count(shape: Shape) -> Number:
    found: Number = 1
    for side in shape:
        found = found * side
    return found


def _seen(model: ModelSpec, part: Part, tokens: int) -> Number:
    """Tokens that a layer attends to: all, or its window where mlx-lm has a ring or a chunk for it."""
    window = getattr(part, "window", 0)
    return least(tokens, window) if plain(window) and (getattr(part, "chunked", False) or rings(model)) else tokens


def _read(model: ModelSpec, part: Part, seen: Number, form: Form) -> Number:
    if isinstance(part, Attention):
        return part.cache_bytes(seen, form, form) if part.caches else 0
    if isinstance(part, LatentAttention):
        return latent(model, part, seen, form) + (part.indexer.cache_bytes(seen, form, form) if part.indexer is not None else 0)
    return part.cache_bytes(seen, form, form) if isinstance(part, CompressedAttention) else 0
