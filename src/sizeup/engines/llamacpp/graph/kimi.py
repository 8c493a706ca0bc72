"""Graph of Kimi delta attention: a delta rule with a gate per channel, fused in one operation, behind three short convolutions.

Source: llama.cpp b11549, src/models/{kimi-linear,kimi-k3,delta-net-base}.cpp.
"""

from __future__ import annotations

from ....layers import KimiDelta
from .delta import normal
from .recurrent import convolution, gathered, state_of
from .tensors import Node
from .writer import Writer


def kimi_delta(writer: Writer, layer: KimiDelta, inputs: Node) -> Node:
    """One Kimi delta attention mixer."""
    graph, run = writer.graph, writer.run
    each, sequences, wide = run.tokens // run.sequences, run.sequences, layer.heads * layer.dim
    graph.expand(inputs)
    memory = state_of(writer, "r", 3 * (layer.kernel - 1) * wide)
    remembered = gathered(writer, memory)
    q, k, v = (short_convolution(writer, layer, letter, inputs, memory, remembered) for letter in "qkv")
    decay, beta = rates(writer, layer, inputs)
    states = state_of(writer, "s", layer.dim * wide)
    state = graph.reshape(gathered(writer, states), layer.dim, layer.dim, layer.heads, sequences)
    q, k = normal(writer, q), normal(writer, k)
    result = graph.op("delta", (wide, run.tokens + layer.dim * sequences), q, k, v, decay, beta, state)
    output = graph.slice(result, (layer.dim, layer.heads, each, sequences), layer.dim, wide, wide * each)
    final = graph.view(result, (layer.dim, layer.dim, layer.heads, sequences), True, bytes=4 * layer.dim * wide * sequences)
    graph.expand(graph.copy(final, graph.view(states, (layer.dim * wide, sequences))))
    normed = writer.norm("ssm_norm", graph.reshape(graph.pack(output), layer.dim, layer.heads, run.tokens))
    gated = graph.like("mul", normed, graph.like("unary", graph.reshape(output_gate(writer, inputs), layer.dim, layer.heads, run.tokens)))
    return graph.mul_mat(writer.need("attn_output.weight"), graph.pack(gated, wide, run.tokens))


def short_convolution(writer: Writer, layer: KimiDelta, letter: str, inputs: Node, memory: Node, remembered: Node) -> Node:
    """Queries, keys or values through their own convolution: (width, heads, tokens, sequences)."""
    graph, run = writer.graph, writer.run
    each, sequences, wide = run.tokens // run.sequences, run.sequences, layer.heads * layer.dim
    past = layer.kernel - 1
    before = graph.slice(remembered, (past, wide, sequences), past, 3 * past * wide)
    projected = graph.reshape(graph.mul_mat(writer.need(f"attn_{letter}.weight"), inputs), wide, each, sequences)
    turned = graph.view(projected, (each, wide, sequences), False, "transpose")
    long = past + each
    window = graph.op("concat", (long, wide, sequences), before, turned)
    last = graph.slice(window, (past, wide, sequences), long, long * wide)
    graph.expand(graph.copy(last, graph.slice(memory, (past, wide, sequences), past, 3 * past * wide)))
    kernel = graph.view(writer.need(f"ssm_conv1d_{letter}.weight"), (layer.kernel, wide), True, "reshape")
    rows = graph.like("unary", graph.reshape(convolution(writer, window, kernel), wide, run.tokens))
    return graph.reshape(rows, layer.dim, layer.heads, each, sequences)


def rates(writer: Writer, layer: KimiDelta, inputs: Node) -> tuple[Node, Node]:
    """How much each channel forgets (decay) and each head writes (beta), per token."""
    graph, run = writer.graph, writer.run
    each, sequences = run.tokens // run.sequences, run.sequences
    if writer.has("ssm_f.weight"):
        decay = writer.linear("ssm_f", inputs)
    else:
        decay = graph.mul_mat(writer.need("ssm_f_b.weight"), graph.mul_mat(writer.need("ssm_f_a.weight"), inputs))
    decay = graph.like("add", decay, writer.need("ssm_dt.bias"))
    heads = graph.reshape(writer.need("ssm_a"), 1, layer.heads, 1)
    if "kda.gate_lower_bound" in writer.hyper:
        decay = graph.like("mul", graph.reshape(decay, layer.dim, layer.heads, run.tokens), heads)
        decay = writer.scale(graph.like("unary", writer.scale(decay)))
    else:
        decay = graph.reshape(graph.like("unary", decay), layer.dim, layer.heads, run.tokens)
        decay = graph.like("mul", decay, heads)
    beta = graph.reshape(graph.mul_mat(writer.need("ssm_beta.weight"), inputs), 1, layer.heads, each, sequences)
    return graph.reshape(decay, layer.dim, layer.heads, each, sequences), graph.like("unary", beta)


def output_gate(writer: Writer, inputs: Node) -> Node:
    """The projection behind the output gate: one matrix, or two narrow ones."""
    graph = writer.graph
    if writer.has("ssm_g.weight"):
        return graph.mul_mat(writer.need("ssm_g.weight"), inputs)
    return graph.mul_mat(writer.need("ssm_g_b.weight"), graph.mul_mat(writer.need("ssm_g_a.weight"), inputs))
