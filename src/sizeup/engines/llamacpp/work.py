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
from .slots import PADDING, Slots, transposed, window_cells

SPLIT_CELLS = 512
"""From so many padded cells on the host's flash attention splits the cells of a lone token (ggml-cpu/ops.cpp, use_split_kv_path)."""


class Stock(NamedTuple):
    """Weights of one format that are used together: in one block or outside of blocks."""

    format: str
    bytes: int
    weights: int
    matrix_rows: int
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
    found = []
    for backend, (layers, routers) in _placed(page, where).items():
        cache, state, mixing, rows = kept.get(backend, NOTHING)
        shares = _shares(page, where, backend, new, sequences, packing)
        found.append(Work(pool(backend, where), layers, routers, shares, cache, state, mixing, new, depth, rows))
    return tuple(found)


@functools.lru_cache(maxsize=256)
def _placed(page: Sheet, where: Homes) -> dict[int, tuple[int, int]]:
    """Every backend that has a part in a step, the host where it keeps the cache too, with its blocks and those that route there."""
    layers = where.layers[: page.spec.layers]
    routers = [where.experts[index] for index, block in enumerate(page.blocks) if isinstance(block.feed, Moe)]
    backends = sorted({*layers, *where.experts, where.output, where.cpu})
    return {backend: (layers.count(backend), routers.count(backend)) for backend in backends}


def _shares(page: Sheet, where: Homes, backend: int, tokens: int, heads: int, packing: tuple[str, ...]) -> tuple[Share, ...]:
    """The weights of one backend, added up by format."""
    shares: dict[tuple[str, bool, bool, Number], list[Number]] = {}
    for routing, stocks in _stocks(page, where, backend, packing).items():
        experts, used = routing
        for stock in stocks:
            share = experts_read(experts, used, tokens) / experts if stock.routed else 1
            met = heads if stock.head else tokens
            rows = tokens * used / (experts * share) if stock.routed else met
            each = tokens * used / experts if stock.routed else met
            entry = shares.setdefault((stock.format, stock.routed, stock.packed, rows), [0, 0, 0])
            entry[0] += stock.bytes * share
            entry[1] += matrix_flops(stock.weights, each)
            entry[2] += stock.matrix_rows * each
    return tuple(Share(name, sums[0], sums[1], rows, routed, packed, sums[2]) for (name, routed, packed, rows), sums in shares.items())


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
        entry = sums.setdefault((routing, str(tensor.type), routed, packed, head), [0, 0, 0])
        entry[0] += tensor.bytes
        entry[1] += tensor.elements
        entry[2] += tensor.elements // tensor.shape[0]
    found: dict[Routing, tuple[Stock, ...]] = {}
    for (routing, kind, routed, packed, head), (bytes, weights, rows) in sums.items():
        found[routing] = (*found.get(routing, ()), Stock(kind, bytes, weights, rows, routed, packed, head))
    return found


def _routing(page: Sheet, index: int) -> Routing:
    feed = page.blocks[index].feed
    return (feed.experts, feed.used) if isinstance(feed, Moe) else EVERY_TOKEN


Kept = tuple[Number, Number, Number, Number]
NOTHING: Kept = (0, 0, 0, 0)


def _kept(model: ModelSpec, settings: Settings, made: Slots, where: Homes, tokens: int, depth: int, sequences: int) -> dict[int, Kept]:
    """By backend: bytes of the cache read, of states read and written, FLOPs of mixing, and rows of the cache."""
    # One token alone has many cells shared out among the threads by number, so that the one with none hidden is waited for.
    alone = tokens * sequences == 1 and depth >= SPLIT_CELLS - PADDING
    skips_hidden = not transposed(model, settings) and not alone
    found: dict[int, Kept] = {}
    for group in caching_groups(model):
        for backend, layers in by_backend(group, where, settings):
            cache, state, mixing, rows = found.get(backend, NOTHING)
            skips = backend == where.cpu and skips_hidden
            for part in group.block.mixers:
                read, flops, met = reads(part, settings, made, tokens, depth, skips)
                cache, mixing = cache + layers * sequences * read, mixing + layers * sequences * tokens * flops
                rows += layers * sequences * met
                state += layers * 2 * STATE_BYTES * sequences * part.state_values()
            found[backend] = (cache, state, mixing, rows)
    return found


def reads(part: Part, settings: Settings, made: Slots, tokens: int, depth: int, skips: bool = False) -> tuple[Number, Number, Number]:
    """Bytes of one layer's cache that a sequence's step reads, FLOPs of mixing per token, and the rows read.

    A device reads cells up to the last one used, padded. `skips` is of the host's flash attention, which passes over cells that the
    mask hides: the padding, and those before a window.
    """
    k, v = quant(settings.k), quant(settings.v)
    used = least(depth + tokens, made.sequence_tokens)
    whole = seen = used if skips else least(round_up(used, PADDING), made.sequence_tokens)
    window = getattr(part, "window", 0)
    if window and (skips or not settings.swa_full):
        within = window + tokens - 1 if skips else window_cells(made.sequence_tokens, window, 1, made.micro_batch_tokens)
        seen = least(seen, within)
    bytes = part.cache_bytes(seen, k, v)
    flops = part.mixing_flops(seen)
    if isinstance(part, Attention | LatentAttention) and part.indexer is not None:
        bytes += part.indexer.cache_bytes(whole, k, v)
    if isinstance(part, CompressedAttention) and part.ratio:
        bytes += part.pooled_bytes(pooled_cells(depth + tokens, part.ratio), k)
    return bytes, flops, seen * _pieces(part)


def _pieces(part: Part) -> int:
    """Rows that one cell's keys lie in, apart from those of its neighbours."""
    if isinstance(part, Attention):
        return part.kv_heads
    return int(isinstance(part, LatentAttention | CompressedAttention))
