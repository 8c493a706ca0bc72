"""Graph of RWKV-7: time mixing with a matrix state, channel mixing, and tokens shifted by one.

Source: llama.cpp b11549, src/models/{rwkv7,rwkv7-base}.cpp.
"""

from __future__ import annotations

from ....layers import Rwkv7
from .recurrent import gathered, state_of
from .tensors import Node
from .writer import Writer

MIXES = 6
"""Interpolations of a token with the one before it: r, w, k, v, a, and the gate."""


def shifted(writer: Writer, before: Node, normed: Node) -> Node:
    """Each token's predecessor: the remembered one, then all but the last."""
    graph = writer.graph
    hidden, each, sequences = normed.shape[0], normed.shape[1], normed.shape[2]
    rest = graph.slice(normed, (hidden, each - 1, sequences), hidden, hidden * each)
    return graph.op("concat", normed.shape, before, rest)


def low_rank(writer: Writer, letter: str, x: Node, middle: str = "") -> Node:
    """Two thin matrices with an activation between them."""
    graph = writer.graph
    inner = graph.mul_mat(writer.need(f"time_mix_{letter}1.weight"), x)
    if middle:
        inner = graph.like("unary", inner)
    return graph.mul_mat(writer.need(f"time_mix_{letter}2.weight"), inner)


def block(writer: Writer, layer: Rwkv7, residual: Node, first_values: Node | None, last: bool) -> tuple[Node, Node]:
    """One block; returns the new residual and the first block's values, which later blocks mix in."""
    graph, run = writer.graph, writer.run
    hidden, sequences = layer.hidden, run.sequences
    each = run.tokens // sequences
    residual = graph.reshape(residual, hidden, each, sequences)
    memory = state_of(writer, "r", layer.shifts * hidden)
    remembered = graph.reshape(gathered(writer, memory), hidden, layer.shifts, sequences)
    before_mix, before_feed = (graph.slice(remembered, (hidden, 1, sequences), hidden, layer.shifts * hidden) for _ in range(2))
    normed = writer.norm("attn_norm", residual, True)
    mixed, values = time_mix(writer, layer, normed, shifted(writer, before_mix, normed), first_values)
    middle = writer.add(mixed, residual)
    fed = writer.norm("attn_norm_2", middle, True)
    previous = shifted(writer, before_feed, fed)
    ends = [graph.slice(part, (hidden, 1, sequences), hidden, hidden * each) for part in (normed, fed)]
    store = graph.op("concat", (hidden, 2, sequences), *ends)
    count = hidden * sequences * layer.shifts
    graph.expand(graph.copy(graph.view(store, (count,)), graph.view(memory, (count,))))
    middle, fed, previous = (graph.reshape(part, hidden, run.tokens) for part in (middle, fed, previous))
    if last:
        middle, fed, previous = writer.crop(middle), writer.crop(fed), writer.crop(previous)
    moved = graph.like("sub", previous, fed)
    key = writer.add(graph.like("mul", moved, writer.need("channel_mix_lerp_k.weight")), fed)
    key = graph.like("sqr", graph.like("unary", graph.mul_mat(writer.need("channel_mix_key.weight"), key)))
    return writer.add(graph.mul_mat(writer.need("channel_mix_value.weight"), key), middle), values


def time_mix(writer: Writer, layer: Rwkv7, normed: Node, previous: Node, first_values: Node | None) -> tuple[Node, Node]:
    """The token-mixing half of a block."""
    graph, run = writer.graph, writer.run
    hidden, tokens = layer.hidden, run.tokens
    each, sequences = tokens // run.sequences, run.sequences
    heads = hidden // layer.head_size
    gated = writer.has("time_mix_g1.weight")
    moved = graph.like("sub", previous, normed)
    moved = graph.op("repeat", (hidden, each, sequences, MIXES if gated else MIXES - 1), moved)
    mixes = writer.add(graph.like("mul", moved, writer.need("time_mix_lerp_fused.weight")), normed)
    r, w, k, v, a, g = (graph.slice(mixes, (hidden, tokens), hidden) for _ in range(MIXES))
    r = graph.mul_mat(writer.need("time_mix_receptance.weight"), r)
    w = graph.like("add", low_rank(writer, "w", w, "tanh"), writer.need("time_mix_w0.weight"))
    w = graph.like("unary", writer.scale(graph.like("unary", w)))
    k = graph.mul_mat(writer.need("time_mix_key.weight"), k)
    values_in, v = v, graph.mul_mat(writer.need("time_mix_value.weight"), v)
    if first_values is None:
        first_values = v
    else:
        rate = graph.like("unary", graph.like("add", low_rank(writer, "v", values_in), writer.need("time_mix_v0.weight")))
        v = writer.add(v, graph.like("mul", graph.like("sub", first_values, v), rate))
    if gated:
        g = low_rank(writer, "g", g, "sigmoid")
    a = graph.like("unary", graph.like("add", low_rank(writer, "a", a), writer.need("time_mix_a0.weight")))
    shape = (layer.head_size, heads, tokens)
    kk = graph.like("l2_norm", graph.reshape(graph.like("mul", k, writer.need("time_mix_k_k.weight")), *shape))
    ka = graph.like("mul", k, writer.need("time_mix_k_a.weight"))
    k = writer.add(k, graph.like("sub", graph.like("mul", a, ka), ka))
    r, w, k, v_heads, a = (graph.reshape(part, *shape) for part in (r, w, k, v, a))
    states = state_of(writer, "s", hidden * layer.head_size)
    state = gathered(writer, states)
    size = (hidden, tokens + layer.head_size * sequences)
    result = graph.op("wkv", size, r, w, k, v_heads, graph.like("unary", kk), graph.like("mul", kk, a), state)
    current = graph.view(result, (hidden * tokens,), bytes=4 * hidden * tokens)
    count = hidden * layer.head_size * sequences
    graph.expand(graph.copy(graph.view(result, (count,), bytes=4 * count), graph.view(states, (count,))))
    if writer.has("time_mix_ln.weight"):
        current = graph.like("norm", graph.reshape(current, *shape))
        current = graph.like("mul", graph.reshape(current, hidden, tokens), writer.need("time_mix_ln.weight"))
        current = graph.like("add", current, writer.need("time_mix_ln.bias"))
    else:
        current = graph.reshape(current, hidden, tokens)
    bonus = graph.reshape(writer.need("time_mix_r_k.weight"), layer.head_size, heads)
    bonus = graph.op("sum_rows", (1, heads, tokens), graph.like("mul", graph.like("mul", k, r), bonus))
    current = writer.add(current, graph.reshape(graph.like("mul", v_heads, bonus), hidden, tokens))
    if gated:
        current = graph.like("mul", current, g)
    output = graph.mul_mat(writer.need("time_mix_output.weight"), current)
    return graph.reshape(output, hidden, each, sequences), first_values
