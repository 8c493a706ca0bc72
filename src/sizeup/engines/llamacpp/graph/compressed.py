"""Graph of compressed sparse attention (DeepSeek V4): tokens of a short window, and pools of the rest made on the way.

Every sequence has caches and states of its own, also where other caches are unified.
Source: llama.cpp b11549, src/models/deepseek4.cpp and src/llama-kv-cache-dsv4.cpp (dsv4_build_reserve_comp_plan).
"""

from __future__ import annotations

from ....layers import CompressedAttention
from ....quant import quant
from .attention import ROTATED_BLOCK, product, rotated, squares
from .indexer import opened
from .tensors import Node
from .writer import Writer

PADDING = 256


def pooled(writer: Writer, ratio: int) -> int:
    """Cells of one sequence's pooled entries."""
    return -(-max(1, -(-writer.run.cells // ratio)) // PADDING) * PADDING


def side(writer: Writer, dim: int) -> int:
    """Side of the matrix that quantised keys are multiplied by; 0 for none."""
    return squares(dim) if writer.run.k.block > 1 and dim % ROTATED_BLOCK == 0 else 0


def compressed(writer: Writer, layer: CompressedAttention, inputs: Node) -> Node:
    """A whole attention part."""
    graph, run = writer.graph, writer.run
    low = writer.norm("attn_q_a_norm", graph.mul_mat(writer.need("attn_q_a.weight"), inputs))
    queries = graph.reshape(graph.mul_mat(writer.need("attn_q_b.weight"), low), layer.dim, layer.heads, run.tokens)
    queries = graph.like("rope", graph.like("rms_norm", queries), writer.positions)
    keys = writer.norm("attn_kv_a_norm", graph.mul_mat(writer.need("attn_kv.weight"), inputs))
    keys = graph.like("rope", graph.reshape(keys, layer.dim, 1, run.tokens), writer.positions)
    if layer.ratio:
        compress(writer, layer, inputs, "attn", layer.dim, side(writer, layer.dim))
    if layer.index_heads:
        compress(writer, layer, inputs, "indexer", layer.index_dim, squares(layer.index_dim))
    turn = side(writer, layer.dim)
    if turn:
        queries, keys = (rotated(writer, part, turn, "attn_inp_k_rot") for part in (queries, keys))
    graph.expand(queries)
    graph.expand(keys)
    cache = cache_of(writer, "cache_k", layer.dim, run.window_cells)
    rows = graph.view(keys, (layer.dim, run.tokens), keys.packed)
    graph.expand(graph.set_rows(flat(writer, cache), rows, writer.given("attn_inp_k_idxs", run.tokens, type="i64")))
    k = graph.view(cache, (layer.dim, 1, run.window_cells, run.sequences), False)
    mask = raw_mask(writer)
    if layer.ratio:
        count = pooled(writer, layer.ratio)
        pools = graph.view(cache_of(writer, "cache_pool_attn", layer.dim, count), (layer.dim, 1, count, run.sequences), False)
        seen = writer.mask(f"inp_pool_kq_mask_{layer.ratio}", count, run.sequences)
        if layer.index_heads:
            seen = opened(writer, seen, best_pools(writer, layer, inputs, low, count), "f16" if run.flash else "f32")
        k = joined(k, pools)
        mask = graph.op("concat", (run.window_cells + count, *mask.shape[1:]), mask, seen, type=mask.type)
    result = product(writer, queries, k, k, k.shape[2], mask, sinks=writer.weight("attn_sinks.weight"))
    if turn:
        result = rotated(writer, result, turn, "attn_inp_k_rot")
    result = graph.like("rope", graph.reshape(result, layer.dim, layer.heads, run.tokens), writer.positions)
    each = layer.dim * layer.heads // layer.output_groups
    result = graph.permute(graph.reshape(result, each, layer.output_groups, run.tokens), 0, 2, 1, 3)
    low_rank = graph.op("mul_mat", (layer.output_rank, run.tokens, layer.output_groups), writer.need("attn_output_a.weight"), result)
    low_rank = graph.pack(graph.permute(low_rank, 0, 2, 1, 3), layer.output_rank * layer.output_groups, run.tokens)
    return graph.mul_mat(writer.need("attn_output_b.weight"), low_rank)


def raw_mask(writer: Writer) -> Node:
    return writer.mask("attn_inp_kq_mask", writer.run.window_cells, writer.run.sequences)


def cache_of(writer: Writer, name: str, dim: int, cells: int) -> Node:
    run, home = writer.run, writer.homes.layers[writer.index]
    return writer.graph.stored(f"{name}_l{writer.index}", (dim, cells, run.sequences), run.k, home, False)


def flat(writer: Writer, cache: Node) -> Node:
    """All sequences' cells in one row of cells."""
    if cache.shape[2] == 1:
        return cache
    return writer.graph.view(cache, (cache.shape[0], cache.shape[1] * cache.shape[2]), True, "reshape")


def joined(left: Node, right: Node) -> Node:
    """Cells of two caches one after the other, in the caches' own format."""
    cells = left.shape[2] + right.shape[2]
    bytes = (left.root or left).bytes + (right.root or right).bytes
    node = Node("concat", (left.shape[0], 1, cells, left.shape[3]), left.type, bytes, (left, right))
    node.quant = left.quant
    return node


def compress(writer: Writer, layer: CompressedAttention, inputs: Node, name: str, dim: int, turn: int) -> None:
    """Pools of this batch into their cache, and what is left over into the state. `name`: whose pools, attention's or the indexer's."""
    graph, run, home = writer.graph, writer.run, writer.homes.layers[writer.index]
    pools = 2 if layer.overlap else 1
    wide, kept = pools * dim, pools * layer.ratio * run.sequences
    made = run.tokens // layer.ratio + run.sequences
    known, mine = f"inp_pool_{name}_{layer.ratio}", f"{name}_compressor"
    values = graph.mul_mat(writer.need(f"{mine}_kv.weight"), inputs)
    scores = graph.mul_mat(writer.need(f"{mine}_gate.weight"), inputs)
    offsets = graph.get_rows(writer.need(f"{mine}_ape.weight"), writer.given(f"{known}_pos", run.tokens, type="i32"))
    scores = graph.like("add", scores, offsets)
    states = [graph.stored(f"state_{name}_{what}_l{writer.index}", (wide, kept), quant("F32"), home, False) for what in ("kv", "score")]
    reads = writer.given(f"{known}_read", pools * layer.ratio * made, type="i32")

    def columns(state: Node, new: Node) -> Node:
        """(tokens of a pool, values, pools) of the rows that each pool reads."""
        rows = graph.op("concat", (wide, kept + run.tokens), graph.view(state, (wide, kept)), new)
        if not layer.overlap:
            read = graph.reshape(graph.get_rows(rows, reads), dim, layer.ratio, made)
            return graph.pack(graph.permute(read, 1, 0, 2, 3))
        empty = graph.reshape(writer.scale(graph.view(rows, (wide,))), wide, 1)
        read = graph.get_rows(graph.op("concat", (wide, rows.shape[1] + 1), rows, empty), reads)
        half = layer.ratio * made
        before, now = (graph.reshape(graph.pack(graph.slice(read, (dim, half), wide)), dim, layer.ratio, made) for _ in range(2))
        both = graph.op("concat", (dim, 2 * layer.ratio, made), before, now)
        return graph.pack(graph.permute(both, 1, 0, 2, 3))

    pooled_values = columns(states[0], values)
    weighed = graph.like("mul", pooled_values, graph.like("soft_max", columns(states[1], scores)))
    summed = graph.op("sum_rows", (1, *weighed.shape[1:]), weighed)
    summed = writer.norm(f"{mine}_norm", graph.pack(graph.permute(summed, 1, 0, 2, 3)))
    summed = graph.like("rope", summed, writer.given(f"{known}_write_pos", made, type="i32"))
    if turn:
        summed = rotated(writer, summed, turn, f"{known}_rot")
    cache = flat(writer, cache_of(writer, f"cache_pool_{name}", dim, pooled(writer, layer.ratio)))
    rows = graph.view(summed, (dim, made), summed.packed)
    graph.expand(graph.set_rows(cache, rows, writer.given(f"{known}_write", made, type="i64")))
    left = min(run.tokens, kept)
    source, into = (writer.given(f"{known}_{what}", left, type="i32") for what in ("keep", "keep_at"))
    for state, new in zip(states, (values, scores), strict=True):
        graph.expand(graph.set_rows(graph.view(state, (wide, kept)), graph.get_rows(new, source), into))


def best_pools(writer: Writer, layer: CompressedAttention, inputs: Node, low: Node, count: int) -> Node:
    """Numbers of the pools that each token attends to: (chosen, tokens, 1, sequences)."""
    graph, run = writer.graph, writer.run
    each = run.tokens // run.sequences
    small = graph.reshape(graph.mul_mat(writer.need("indexer.attn_q_b.weight"), low), layer.index_dim, layer.index_heads, run.tokens)
    small = rotated(writer, graph.like("rope", small, writer.positions), squares(layer.index_dim), f"inp_pool_indexer_{layer.ratio}_rot")
    weights = writer.scale(graph.mul_mat(writer.need("indexer.proj.weight"), inputs))
    keys = graph.view(cache_of(writer, "cache_pool_indexer", layer.index_dim, count), (layer.index_dim, 1, count, run.sequences), False)
    small = graph.view(small, (layer.index_dim, layer.index_heads, each, run.sequences), False)
    weights = graph.view(weights, (layer.index_heads, each, 1, run.sequences), False)
    mask = writer.given("inp_pool_kq_mask_indexer", count, each, 1, run.sequences, type="f16")
    scores = graph.op("indexer", (count, each, 1, run.sequences), small, keys, weights, mask)
    chosen = min(count, layer.top_tokens or count)
    return graph.pack(graph.op("top_k", (chosen, each, 1, run.sequences), scores, type="i32"))
