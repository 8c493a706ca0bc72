"""Graphs of attention: projections, norms and rotation of queries and keys, the cache, and the product itself.

Source: llama.cpp b11549, src/llama-graph.cpp (build_qkv, build_attn, build_attn_mha) and src/llama-kv-cache.cpp.
"""

from __future__ import annotations

from typing import NamedTuple

from ....layers import Attention
from .families import Steps
from .tensors import Node
from .writer import Run, Writer

SMALL_BATCH_ROWS = 2
"""Up to this many query rows a CUDA device reads a quantised cache as it is, for heads up to SMALL_BATCH_HEAD wide."""
SMALL_BATCH_HEAD = 256
ROTATED_BLOCK = 64
"""Smallest side of the rotation applied to quantised keys and values."""


def cache_of(writer: Writer, layer: Attention) -> tuple[Node, Node, int]:
    """The cache tensors of this block's keys and values, and their cells."""
    run = writer.run
    cells = run.window_cells if layer.window else run.cells
    home = writer.homes.layers[writer.cache_owner(layer)]
    keys = writer.graph.stored(f"cache_k_l{writer.index}", (layer.kv_heads * layer.key_dim, cells, run.streams), run.k, home, False)
    width = writer.widest_values if run.transposed else layer.kv_heads * layer.value_dim
    values = writer.graph.stored(f"cache_v_l{writer.index}", (width, cells, run.streams), run.v, home, False)
    return keys, values, cells


def heads_of(writer: Writer, layer: Attention, inputs: Node, steps: Steps, cached: bool = True) -> tuple[Node, Node | None, Node | None]:
    """Queries, keys and values, each (width, heads, tokens)."""
    graph, tokens = writer.graph, writer.run.tokens
    if writer.has("attn_qkv.weight"):
        fused = clamped(writer, writer.linear("attn_qkv", inputs), steps)
        row = fused.shape[0]
        queries = graph.slice(fused, (layer.key_dim, layer.heads, tokens), layer.key_dim, row)
        keys = graph.slice(fused, (layer.key_dim, layer.kv_heads, tokens), layer.key_dim, row)
        values = graph.slice(fused, (layer.value_dim, layer.kv_heads, tokens), layer.value_dim, row)
        return queries, keys, values
    queries = clamped(writer, writer.linear("attn_q", inputs), steps)
    if cached and not layer.caches:
        return graph.reshape(queries, layer.key_dim, layer.heads, tokens), None, None
    keys = clamped(writer, writer.linear("attn_k", inputs), steps)
    values = clamped(writer, writer.linear("attn_v", inputs), steps) if not layer.value_is_key else keys
    if steps.flat_norm:
        queries = writer.norm("attn_q_norm", queries, steps.layer_norm)
        keys = writer.norm("attn_k_norm", keys, steps.layer_norm)
    queries = graph.reshape(queries, layer.key_dim, layer.heads, tokens)
    keys = graph.reshape(keys, layer.key_dim, layer.kv_heads, tokens)
    values = graph.reshape(values, layer.value_dim, layer.kv_heads, tokens)
    return queries, keys, values


def clamped(writer: Writer, inputs: Node, steps: Steps) -> Node:
    """Kept within a bound, in models that were trained so."""
    return writer.graph.like("clamp", inputs) if steps.clamped and writer.hyper.get("attention.clamp_kqv") else inputs


def turned(writer: Writer, name: str, inputs: Node, steps: Steps, windowed: bool = False, windows: bool = False) -> Node:
    """One of queries and keys after its norm and rotation."""
    graph = writer.graph
    normed = writer.has(f"{name}.weight") and not steps.flat_norm
    if normed and steps.norm_first:
        inputs = writer.norm(name, inputs, steps.layer_norm)
    if steps.rotates(writer.index, writer.blocks, windowed, windows):
        named = steps.frequencies if steps.window_frequencies or not windowed else None
        factors = writer.shared(named, writer.homes.layers[writer.index]) if named else None
        inputs = graph.like("rope", inputs, writer.positions, *((factors,) if factors is not None else ()))
        if steps.bare_norm and writer.hyper.get("expert_count") != steps.bare_norm_unless_experts:
            inputs = graph.like("rms_norm", inputs)
    elif steps.tempered and name == "attn_q_norm":
        inputs = graph.like("mul", inputs, writer.given("inp_attn_scale", 1, 1, writer.run.tokens))
    if normed and not steps.norm_first:
        inputs = writer.norm(name, inputs, steps.layer_norm)
    return inputs


def prepared(
    writer: Writer, layer: Attention, inputs: Node, steps: Steps, windows: bool, cached: bool
) -> tuple[Node, Node | None, Node | None]:
    """Queries, keys and values after their norms and rotation."""
    queries, keys, values = heads_of(writer, layer, inputs, steps, cached)
    queries = turned(writer, "attn_q_norm", queries, steps, bool(layer.window), windows)
    if keys is not None:
        keys = turned(writer, "attn_k_norm", keys, steps, bool(layer.window), windows)
    if steps.value_norm and values is not None:
        values = writer.graph.like("rms_norm", values)
    if steps.scale_queries:
        queries = writer.scale(queries)
    return queries, keys, values


def attention(writer: Writer, layer: Attention, inputs: Node, steps: Steps, *, windows: bool, cached: bool = True) -> Node:
    """A whole attention part: from the normed residual to the output projection. `windows`: the model has window caches."""
    queries, keys, values = prepared(writer, layer, inputs, steps, windows, cached)
    if not cached:
        assert keys is not None
        assert values is not None
        return uncached(writer, layer, queries, keys, values)
    return mixed(writer, layer, queries, keys, values, windows=windows)


def uncached(writer: Writer, layer: Attention, queries: Node, keys: Node, values: Node) -> Node:
    """Attention of a batch to itself (encoders)."""
    graph, tokens = writer.graph, writer.run.tokens
    for part in (queries, keys, values):
        graph.expand(part)
    name = "self_kq_mask_swa" if layer.window else "self_kq_mask"
    result = product(writer, queries, keys, values, tokens, name)
    return writer.linear("attn_output", result)


def squares(dim: int) -> int:
    """The largest power of two, from the smallest block up, that divides a head."""
    side = ROTATED_BLOCK
    while dim % (2 * side) == 0:
        side *= 2
    return side


class Turns(NamedTuple):
    """Sides of the matrices that keys and values are multiplied by before they are quantised; 0 for none."""

    keys: int
    values: int


def turns(run: Run, layer: Attention) -> Turns:
    """Only whole blocks are rotated: keys by the largest power of two that divides a head, values by the smallest block."""
    return Turns(
        squares(layer.key_dim) if run.k.block > 1 and layer.key_dim % ROTATED_BLOCK == 0 else 0,
        ROTATED_BLOCK if run.v.block > 1 and layer.value_dim % ROTATED_BLOCK == 0 else 0,
    )


def rotated(writer: Writer, inputs: Node, side: int, name: str) -> Node:
    """Times a constant orthogonal matrix, which spreads outliers before quantisation: one packed product."""
    graph = writer.graph
    if not inputs.packed:
        inputs = graph.pack(inputs)
    shape = inputs.shape
    count = shape[0] * shape[1] * shape[2] * shape[3]
    flat = graph.view(inputs, (side, count // side), True, "reshape")
    return graph.reshape(graph.mul_mat(writer.given(name, side, side), flat), *shape)


def mixed(
    writer: Writer, layer: Attention, queries: Node, keys: Node | None, values: Node | None, *, windows: bool, project: bool = True
) -> Node:
    """Stores keys and values, attends to the cache, and projects the result."""
    graph, run = writer.graph, writer.run
    suffix = "_swa" if windows and layer.window else ""
    turn = turns(run, layer)
    if turn.keys:
        queries = rotated(writer, queries, turn.keys, f"attn_inp_k_rot{suffix}")
        if keys is not None:
            keys = rotated(writer, keys, turn.keys, f"attn_inp_k_rot{suffix}")
    if turn.values and values is not None:
        values = rotated(writer, values, turn.values, f"attn_inp_v_rot{suffix}")
    graph.expand(queries)
    for part in (keys, values) if windows else (values, keys):
        if part is not None:
            graph.expand(part)
    cached_keys, cached_values, cells = cache_of(writer, layer)
    if keys is not None and values is not None:
        store(writer, cached_keys, keys, f"attn_inp_k_idxs{suffix}", False)
        store(writer, cached_values, values, f"attn_inp_v_idxs{suffix}", run.transposed)
    shape_k = (layer.key_dim, layer.kv_heads, cells, run.streams)
    k = graph.view(cached_keys, shape_k, False)
    shape_v = (layer.value_dim, layer.kv_heads, cells, run.streams)
    v = graph.view(cached_values, (*shape_v[2::-1], run.streams) if run.transposed else shape_v, False)
    v.bytes -= int(run.v.row_bytes(cells * (cached_values.shape[0] - layer.kv_heads * layer.value_dim)))
    result = product(
        writer, queries, k, v, cells, f"attn_inp_kq_mask{suffix}", sinks=writer.weight("attn_sinks.weight"), transposed=run.transposed
    )
    if turn.values:
        result = rotated(writer, result, turn.values, f"attn_inp_v_rot{suffix}")
    if project and writer.has("attn_output.weight"):
        result = writer.linear("attn_output", result)
    return result


def store(writer: Writer, cache: Node, rows: Node, index: str, transposed: bool) -> None:
    """Writes this batch's rows into a cache; a transposed cache takes one element at a time."""
    graph, tokens = writer.graph, writer.run.tokens
    width = rows.shape[0] * rows.shape[1]
    if not transposed:
        source = graph.view(rows, (width, tokens), rows.packed)
        into = cache
        if cache.shape[2] > 1:
            into = graph.view(cache, (cache.shape[0], cache.shape[1] * cache.shape[2]), True, "reshape")
        graph.expand(graph.set_rows(into, source, writer.given(index, tokens, type="i64")))
        return
    source = graph.reshape(rows, width, tokens) if rows.packed else graph.pack(rows, width, tokens)
    if width < cache.shape[0]:
        source = graph.op("pad", (cache.shape[0], tokens), source)
        width = cache.shape[0]
    into = graph.view(cache, (1, cache.shape[0] * cache.shape[1] * cache.shape[2]), True, "reshape")
    source = graph.view(source, (1, width * tokens), True, "reshape")
    graph.expand(graph.set_rows(into, source, writer.given(index, width * tokens, type="i64")))


def product(
    writer: Writer,
    queries: Node,
    k: Node,
    v: Node,
    cells: int,
    mask: str | Node,
    *,
    sinks: Node | None = None,
    up: Node | None = None,
    transposed: bool = False,
) -> Node:
    """Softmax attention of (width, heads, tokens) queries to the cache views `k` and `v`: (width, tokens).

    `mask` is an input's name or a mask that was computed; `up` expands a latent result to the heads' values (MLA).
    """
    graph, run = writer.graph, writer.run
    streams, tokens = k.shape[3], run.tokens
    width, heads = queries.shape[0], queries.shape[1]
    if isinstance(mask, str):
        mask = writer.mask(mask, cells, streams)
    q = graph.permute(graph.view(queries, (width, heads, tokens // streams, streams), False), 0, 2, 1, 3)
    k = graph.permute(k, 0, 2, 1, 3)
    v = graph.permute(v, 0, 2, 1, 3)
    if run.flash:
        if k.type == "f32":
            k = graph.op("cpy", k.shape, k, type="f16")
        if v.type == "f32":
            v = graph.op("cpy", v.shape, v, type="f16")
        sources = (q, k, v, mask) if sinks is None else (q, k, v, mask, sinks)
        result = graph.op("flash", (v.shape[0], heads, q.shape[1], streams), *sources)
        result.extra = flash_extra(q, k, v, result.bytes)
        result.name = str(writer.index)
        if up is not None:
            result = graph.mul_mat(up, graph.permute(result, 0, 2, 1, 3))
            result = graph.pack(graph.permute(result, 0, 2, 1, 3))
        result = graph.view(result, (result.shape[0] * result.shape[1], result.shape[2] * result.shape[3]), True, "reshape")
        return graph.expand(result)
    scores = graph.op("mul_mat", (cells, q.shape[1], heads, streams), k, q, name="kq")
    if writer.hyper.get("attn_logit_softcapping"):
        scores = writer.scale(graph.like("unary", writer.scale(scores)))
    scores = graph.like("soft_max", scores, mask, *((sinks,) if sinks is not None else ()))
    if not transposed:
        v = graph.pack(graph.permute(v, 1, 0, 2, 3))
    result = graph.op("mul_mat", (v.shape[1], q.shape[1], heads, streams), v, scores, name="kqv")
    if up is not None:
        result = graph.mul_mat(up, result)
    result = graph.permute(result, 0, 2, 1, 3)
    return graph.expand(graph.pack(result, result.shape[0] * result.shape[1], result.shape[2] * result.shape[3]))


def flash_extra(q: Node, k: Node, v: Node, bytes: int) -> int:
    """What the CUDA kernel keeps behind its result: keys and values of another type as F16."""
    if q.shape[1] <= SMALL_BATCH_ROWS and q.shape[0] <= SMALL_BATCH_HEAD:
        return 0
    total = bytes
    same = v.root is k.root
    for part in (k,) if same else (k, v):
        if part.type != "f16":
            total = -(-total // 128) * 128 + 2 * part.shape[0] * part.rows
    return total - bytes
