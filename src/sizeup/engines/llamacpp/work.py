"""What one step reads and computes under llama.cpp's rules: which weights lie where, and how many cells of the cache are read.

Source: llama.cpp b11549, src/llama-kv-cache.cpp (get_n_kv: cells up to the last one used, padded), src/llama-graph.cpp.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from ...figure import Number, least, round_up
from ...layers import Attention, CompressedAttention, LatentAttention, Moe, Part
from ...model import ModelSpec
from ...quant import quant
from ...work import Share, Work, experts_read, matrix_flops
from .cache import STATE_BYTES, by_backend, caching_groups, pooled_cells
from .graph.sheet import EXPERTS, IN_BLOCK, INPUT, Homes, Sheet
from .placement import pool
from .repack import packed_bytes
from .settings import Settings
from .slots import PADDING, Slots, window_cells


class Stock(NamedTuple):
    """Weights of one format that are used together: in one block or outside of blocks."""

    format: str
    bytes: int
    weights: int
    routed: bool
    packed: bool
    head: bool
    """The output projection, which only tokens whose logits are asked for meet."""


def work(
    page: Sheet,
    settings: Settings,
    made: Slots,
    where: Homes,
    tokens: int,
    depth: int,
    sequences: int = 1,
    packing: tuple[str, ...] = (),
) -> tuple[Work, ...]:
    """One step of `tokens` new tokens for each of `sequences` that hold `depth` tokens already, per pool.

    Logits are computed for the last token of each sequence. `packing` are the instruction sets that host weights are rearranged
    for. Not counted: norms and activations, which stay in a processor's own caches; lookups of the token embedding.
    """
    new = tokens * sequences
    kept = _kept(page.spec, settings, made, where, tokens, depth, sequences)
    layers = where.layers[: page.spec.layers]
    routers = [where.experts[index] for index, block in enumerate(page.blocks) if isinstance(block.feed, Moe)]
    found = []
    for backend in sorted({*layers, *where.experts, where.output, *kept}):
        cache, state, mixing = kept.get(backend, (0, 0, 0))
        shares = _shares(page, where, backend, new, sequences, packing)
        there = layers.count(backend), routers.count(backend)
        found.append(Work(pool(backend, where), *there, shares, cache, state, mixing, new, depth))
    return tuple(found)


def _shares(page: Sheet, where: Homes, backend: int, tokens: int, heads: int, packing: tuple[str, ...]) -> tuple[Share, ...]:
    """The weights of one backend, added up by format."""
    shares: dict[tuple[str, bool, bool, Number], list[Number]] = {}
    for routing, stocks in _stocks(page, where, backend, packing).items():
        experts, used = routing
        for stock in stocks:
            share = experts_read(experts, used, tokens) / experts if stock.routed else 1
            met = heads if stock.head else tokens
            rows = tokens * used / (experts * share) if stock.routed else met
            entry = shares.setdefault((stock.format, stock.routed, stock.packed, rows), [0, 0])
            entry[0] += stock.bytes * share
            entry[1] += matrix_flops(stock.weights, tokens * used / experts if stock.routed else met)
    return tuple(Share(name, read, flops, rows, routed, packed) for (name, routed, packed, rows), (read, flops) in shares.items())


Routing = tuple[int, int]
"""Experts, and how many of them a token uses."""

EVERY_TOKEN: Routing = (1, 1)
"""Of weights that every token uses."""


@functools.lru_cache(maxsize=256)
def _stocks(page: Sheet, where: Homes, backend: int, packing: tuple[str, ...]) -> dict[Routing, tuple[Stock, ...]]:
    """What one backend holds of the weights that a step uses, added up by routing and format."""
    sums: dict[tuple[Routing, str, bool, bool, bool], list[int]] = {}
    tied = "output.weight" not in page.tensors
    for name, tensor in page.tensors.items():
        match = IN_BLOCK.match(name)
        index = int(match[1]) if match else -1
        if index >= page.spec.layers:
            continue  # blocks for drafting
        if name == "token_embd.weight" and tied:
            home = where.output
        elif name.startswith(INPUT):
            continue  # one row a token
        else:
            home = where.of(name)
        if home != backend:
            continue
        routed = match is not None and EXPERTS.match(match[2]) is not None
        routing = _routing(page, index) if routed else EVERY_TOKEN
        # A token embedding that is the head too stays as stored, since rows are looked up in it.
        packed = backend == where.cpu and not name.startswith(INPUT) and packed_bytes(tensor, packing) is not None
        head = name in ("output.weight", "token_embd.weight")
        entry = sums.setdefault((routing, str(tensor.type), routed, packed, head), [0, 0])
        entry[0] += tensor.bytes
        entry[1] += tensor.elements
    found: dict[Routing, tuple[Stock, ...]] = {}
    for (routing, kind, routed, packed, head), (bytes, weights) in sums.items():
        found[routing] = (*found.get(routing, ()), Stock(kind, bytes, weights, routed, packed, head))
    return found


def _routing(page: Sheet, index: int) -> Routing:
    feed = page.blocks[index].feed
    return (feed.experts, feed.used) if isinstance(feed, Moe) else EVERY_TOKEN


def _kept(
    model: ModelSpec, settings: Settings, made: Slots, where: Homes, tokens: int, depth: int, sequences: int
) -> dict[int, tuple[Number, Number, Number]]:
    """By backend: bytes of the cache read, of states read and written, and FLOPs of mixing."""
    found: dict[int, tuple[Number, Number, Number]] = {}
    for group in caching_groups(model):
        each = [(*reads(part, settings, made, tokens, depth), part.state_values()) for part in group.block.mixers]
        for backend, layers in by_backend(group, where, settings):
            cache, state, mixing = found.get(backend, (0, 0, 0))
            for read, flops, values in each:
                cache, mixing = cache + layers * sequences * read, mixing + layers * sequences * tokens * flops
                state += layers * 2 * STATE_BYTES * sequences * values
            found[backend] = (cache, state, mixing)
    return found


def reads(part: Part, settings: Settings, made: Slots, tokens: int, depth: int) -> tuple[Number, Number]:
    """Bytes of one layer's cache that a sequence's step reads, and FLOPs of mixing per token."""
    k, v = quant(settings.k), quant(settings.v)
    seen = least(round_up(depth + tokens, PADDING), made.sequence_tokens)
    window = getattr(part, "window", 0)
    if window and not settings.swa_full:
        seen = least(seen, window_cells(made.sequence_tokens, window, 1, made.micro_batch_tokens))
    bytes = part.cache_bytes(seen, k, v)
    flops = part.mixing_flops(seen)
    if isinstance(part, Attention | LatentAttention) and part.indexer is not None:
        bytes += part.indexer.cache_bytes(least(round_up(depth + tokens, PADDING), made.sequence_tokens), k, v)
    if isinstance(part, CompressedAttention) and part.ratio:
        bytes += part.pooled_bytes(pooled_cells(depth + tokens, part.ratio), k)
    return bytes, flops
