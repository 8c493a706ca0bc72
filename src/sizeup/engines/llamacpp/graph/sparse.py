"""Graph of block-sparse attention (MiniMax-M3): small heads score blocks of positions, and each group of heads sees its best ones.

With flash attention and a cache per sequence only; otherwise the engine attends to everything.
Source: llama.cpp b11549, src/models/minimax-m3.cpp and src/llama-kv-cache-msa.cpp.
"""

from __future__ import annotations

from typing import NamedTuple

from ....layers import Attention
from .attention import cache_of, flash_extra, rotated, store, turns
from .tensors import WIDTH, Node
from .writer import Writer

POSITIONS = 256
"""Positions that the reserved graph counts on: those of an empty cache, padded."""


class Sizes(NamedTuple):
    """Numbers of one graph."""

    tokens: int
    """Per sequence."""
    streams: int
    positions: int
    block: int
    blocks: int
    chosen: int


def sizes(writer: Writer) -> Sizes:
    run, block = writer.run, int(writer.hyper["attention.indexer.block_size"])
    positions = -(-POSITIONS // block) * block
    blocks = positions // block
    chosen = min(blocks, int(writer.hyper["attention.indexer.top_k"]))
    return Sizes(run.tokens // run.streams, run.streams, positions, block, blocks, chosen)


def is_sparse(writer: Writer, layer: Attention) -> bool:
    """Whether this layer picks blocks."""
    run = writer.run
    return layer.indexer is not None and run.flash and run.streams == run.sequences


def block_sparse(writer: Writer, layer: Attention, inputs: Node, queries: Node, keys: Node, values: Node) -> Node:
    """From queries, keys and values to the output projection."""
    graph, run, indexer = writer.graph, writer.run, layer.indexer
    assert indexer is not None
    small = graph.reshape(graph.mul_mat(writer.need("indexer.q_proj.weight"), inputs), indexer.dim, indexer.heads, run.tokens)
    key = graph.reshape(graph.mul_mat(writer.need("indexer.k_proj.weight"), inputs), indexer.dim, 1, run.tokens)
    small = graph.like("rope", writer.norm("indexer.q_norm", small), writer.positions)
    key = graph.like("rope", writer.norm("indexer.k_norm", key), writer.positions)
    home = writer.homes.layers[writer.index]
    small_keys = graph.stored(f"cache_k_idx_l{writer.index}", (indexer.dim, run.cells, run.streams), run.k, home, False)
    store(writer, small_keys, key, "attn_inp_k_idxs_idx", False)
    turn = turns(run, layer)
    if turn.keys:
        queries, keys = (rotated(writer, part, turn.keys, "attn_inp_k_rot") for part in (queries, keys))
    if turn.values:
        values = rotated(writer, values, turn.values, "attn_inp_v_rot")
    for part in (queries, keys, values):
        graph.expand(part)
    cached_keys, cached_values, _ = cache_of(writer, layer)
    store(writer, cached_keys, keys, "attn_inp_k_idxs", False)
    store(writer, cached_values, values, "attn_inp_v_idxs", False)
    if run.tokens == run.streams:
        result = gathered(writer, layer, queries, small, small_keys, cached_keys, cached_values)
    else:
        parts = [masked(writer, layer, queries, small, small_keys, cached_keys, cached_values) for _ in range(run.streams)]
        result = parts[0]
        for other in parts[1:]:
            result = graph.op("concat", (result.shape[0], result.shape[1] + other.shape[1]), result, other)
    if turn.values:
        result = rotated(writer, result, turn.values, "attn_inp_v_rot")
    return writer.linear("attn_output", result)


def cast(writer: Writer, of: Node, type: str) -> Node:
    """A copy as another type."""
    return writer.graph.op("cpy", of.shape, of, type=type)


def added_in_place(left: Node, right: Node) -> Node:
    return Node("add", left.shape, left.type, left.bytes, (left, right), left.root or left, left.packed)


def best(writer: Writer, at: Sizes, scores: Node, mask: Node, bias: Node) -> Node:
    """The best blocks of each small head by their highest score: (chosen, heads, …)."""
    graph = writer.graph
    scores = added_in_place(scores, mask)
    pooled = graph.op("pool", (at.blocks, *scores.shape[1:]), scores)
    return graph.op("top_k", (at.chosen, *scores.shape[1:]), graph.like("add", pooled, bias), type="i32")


def masked(writer: Writer, layer: Attention, queries: Node, small: Node, small_keys: Node, k: Node, v: Node) -> Node:
    """One sequence of a batch: attention to all its cells, with those of other blocks masked."""
    graph, run, at, indexer = writer.graph, writer.run, sizes(writer), layer.indexer
    assert indexer is not None
    heads, cells, rows = indexer.heads, run.cells, indexer.heads * at.tokens
    slots = graph.view(writer.given("inp_block_slots", at.positions, at.streams, type="i32"), (at.positions,))
    mask = graph.view(writer.given("inp_block_mask", at.positions, run.tokens), (at.positions, 1, at.tokens))
    bias = graph.view(writer.given("inp_block_bias", at.blocks, run.tokens), (at.blocks, 1, at.tokens))
    of_cells = graph.view(writer.given("inp_block_cells", cells, at.streams, type="i32"), (cells,))
    by_position = graph.get_rows(graph.view(small_keys, (indexer.dim, cells)), slots)
    own = graph.reshape(graph.view(small, (indexer.dim, heads, at.tokens)), indexer.dim, rows)
    scores = graph.reshape(graph.mul_mat(by_position, own), at.positions, heads, at.tokens)
    chosen = best(writer, at, scores, mask, bias)
    closed = graph.op("repeat", (at.blocks, heads, at.tokens), cast(writer, writer.scale(bias), "f16"), type="f16")
    opened = graph.set_rows(
        graph.reshape(closed, 1, at.blocks, rows),
        graph.reshape(writer.scale(cast(writer, chosen, "f32")), 1, at.chosen, rows),
        graph.reshape(chosen, at.chosen, rows),
    )
    of_blocks = graph.pack(graph.permute(graph.reshape(opened, at.blocks, heads, at.tokens), 0, 2, 1, 3))
    turned = graph.pack(graph.view(graph.reshape(of_blocks, at.blocks, rows), (rows, at.blocks), False, "transpose"))
    spread = graph.get_rows(turned, of_cells)
    spread = graph.pack(graph.view(spread, (cells, rows), False, "transpose"))
    whole = graph.view(full_mask(writer), (cells, at.tokens))
    spread = cast(
        writer, graph.reshape(added_in_place(graph.reshape(spread, cells, at.tokens, heads), whole), cells, at.tokens, 1, heads), "f16"
    )
    of_sequence = graph.view(queries, (layer.key_dim, layer.heads, at.tokens))
    k, v = (
        graph.permute(graph.view(part, (dim, layer.kv_heads, cells), False), 0, 3, 1, 2)
        for part, dim in ((k, layer.key_dim), (v, layer.value_dim))
    )
    return grouped(writer, layer, of_sequence, k, v, spread)


def full_mask(writer: Writer) -> Node:
    """The attention mask as full floats, made once."""
    if writer.wide_mask is None:
        writer.wide_mask = cast(writer, writer.mask("attn_inp_kq_mask", writer.run.cells, writer.run.streams), "f32")
    return writer.wide_mask


def gathered(writer: Writer, layer: Attention, queries: Node, small: Node, small_keys: Node, k: Node, v: Node) -> Node:
    """One token per sequence: the cells of its blocks are gathered."""
    graph, run, at, indexer = writer.graph, writer.run, sizes(writer), layer.indexer
    assert indexer is not None
    heads, count = indexer.heads, at.block * at.chosen * indexer.heads
    slots = writer.given("inp_block_slots", at.positions, at.streams, type="i32")
    mask = writer.given("inp_block_mask", at.positions, run.tokens)
    bias = graph.reshape(writer.given("inp_block_bias", at.blocks, run.tokens), at.blocks, 1, 1, at.streams)
    by_position = graph.get_rows(graph.view(small_keys, (indexer.dim, run.cells, at.streams)), slots)
    own = graph.reshape(small, indexer.dim, heads, 1, at.streams)
    scores = graph.mul_mat(graph.reshape(by_position, indexer.dim, at.positions, 1, at.streams), own)
    chosen = best(writer, at, scores, graph.reshape(mask, at.positions, 1, 1, at.streams), bias)
    first = graph.reshape(writer.scale(cast(writer, chosen, "f32")), 1, at.chosen, heads, at.streams)
    first = graph.op("repeat", (at.block, at.chosen, heads, at.streams), first)
    places = cast(writer, graph.reshape(graph.like("add", first, graph.op("arange", (at.block,))), count, at.streams), "i32")
    numbers = graph.reshape(writer.given("inp_block_slots_f", at.positions, at.streams), 1, at.positions, at.streams)
    cells = graph.reshape(graph.get_rows(numbers, places), at.block, at.chosen, heads, at.streams)
    cells = graph.like("add", writer.scale(cells), graph.reshape(graph.op("arange", (layer.kv_heads,)), 1, 1, heads))
    cells = cast(writer, graph.reshape(cells, count, at.streams), "i32")

    def rows_of(cache: Node, dim: int, quantised: bool) -> Node:
        rows = graph.get_rows(graph.view(cache, (dim, layer.kv_heads * run.cells, at.streams), False), cells)
        rows = graph.reshape(rows, dim, at.block * at.chosen, 1, heads * at.streams)
        kind = cache.type if cache.type in WIDTH and not quantised else "f16"
        return rows if kind == "f32" else cast(writer, rows, kind)

    k, v = rows_of(k, layer.key_dim, run.k.block > 1), rows_of(v, layer.value_dim, run.v.block > 1)
    seen = graph.get_rows(graph.reshape(mask, 1, at.positions, at.streams), places)
    seen = cast(writer, graph.reshape(seen, at.block * at.chosen, 1, 1, heads * at.streams), "f16")
    return grouped(writer, layer, queries, k, v, seen)


def grouped(writer: Writer, layer: Attention, queries: Node, k: Node, v: Node, mask: Node) -> Node:
    """Flash attention with the groups of heads where sequences usually are: (width, tokens)."""
    graph, groups, tokens = writer.graph, k.shape[3], queries.shape[2]
    each = layer.heads // layer.kv_heads
    rows = layer.heads * tokens // (each * groups)
    q = graph.permute(graph.reshape(queries, layer.key_dim, each, groups, rows), 0, 2, 3, 1)
    result = graph.op("flash", (layer.value_dim, each, rows, groups), q, k, v, mask)
    result.extra = flash_extra(q, k, v, result.bytes)
    result.name = str(writer.index)
    result = graph.permute(result, 0, 1, 3, 2)
    if rows > 1:
        result = graph.pack(result)
    return graph.view(result, (layer.value_dim * layer.heads, tokens), True, "reshape")
