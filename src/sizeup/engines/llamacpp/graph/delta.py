"""Graph of the gated delta rule (Qwen3-Next, Qwen3.5), fused in one operation as every current backend runs it.

Source: llama.cpp b11549, src/models/{delta-net-base,qwen3next,qwen35}.cpp.
"""

from __future__ import annotations

from ....layers import Attention, GatedDeltaNet
from .attention import mixed, turned
from .families import Steps
from .recurrent import convolution, gathered, remembered_and_new, state_of
from .tensors import Node
from .writer import Writer


def delta_net(writer: Writer, layer: GatedDeltaNet, inputs: Node, hidden: int) -> Node:
    """One gated delta net mixer."""
    graph, run = writer.graph, writer.run
    each, sequences = run.tokens // run.sequences, run.sequences
    keys, values = layer.key_heads * layer.key_dim, layer.value_heads * layer.value_dim
    width = 2 * keys + values
    graph.expand(inputs)
    projected = graph.reshape(graph.mul_mat(writer.need("attn_qkv.weight"), inputs), width, each, sequences)
    gate = graph.mul_mat(writer.need("attn_gate.weight"), inputs)
    beta, decay = rates(writer, layer, inputs)
    memory = state_of(writer, "r", (layer.kernel - 1) * width)
    states = state_of(writer, "s", layer.key_dim * values)
    window = remembered_and_new(writer, memory, projected, layer.kernel, width)
    state = gathered(writer, states)
    mixed_rows = graph.like("unary", convolution(writer, window, writer.need("ssm_conv1d.weight")))
    q, k = (
        graph.slice(mixed_rows, (layer.key_dim, layer.key_heads, each, sequences), layer.key_dim, width, width * each) for _ in range(2)
    )
    v = graph.slice(mixed_rows, (layer.value_dim, layer.value_heads, each, sequences), layer.value_dim, width, width * each)
    q, k = normal(writer, q), normal(writer, k)
    if not layer.fused:
        pass
    elif layer.key_heads != layer.value_heads:
        q, k = (spread(writer, layer, part) for part in (q, k))
    count = values * run.tokens + layer.key_dim * values * sequences
    state = graph.reshape(state, layer.value_dim, layer.value_dim, layer.value_heads, sequences)
    result = graph.op("delta", (values, run.tokens + layer.key_dim * sequences), q, k, v, decay, beta, state)
    assert result.bytes == 4 * count
    output = graph.slice(result, (layer.value_dim, layer.value_heads, each, sequences), layer.value_dim, values, values * each)
    final = graph.view(
        result, (layer.value_dim, layer.value_dim, layer.value_heads, sequences), True, bytes=4 * layer.key_dim * values * sequences
    )
    graph.expand(graph.copy(final, graph.view(states, (layer.key_dim * values, sequences))))
    z = graph.reshape(gate, layer.value_dim, layer.value_heads, each, sequences)
    normed = graph.like("mul", writer.norm("ssm_norm", output), graph.like("unary", z))
    projected = graph.mul_mat(writer.need("ssm_out.weight"), graph.reshape(normed, values, each, sequences))
    return graph.reshape(projected, hidden, run.tokens)


def rates(writer: Writer, layer: GatedDeltaNet, inputs: Node) -> tuple[Node, Node]:
    """How much each head writes (beta) and forgets (decay), per token."""
    graph, run = writer.graph, writer.run
    each, sequences, heads = run.tokens // run.sequences, run.sequences, layer.value_heads
    if writer.has("ssm_ba.weight"):
        both = graph.mul_mat(writer.need("ssm_ba.weight"), inputs)
        group = heads // layer.key_heads
        row = 2 * heads
        both = graph.reshape(both, 2 * group, layer.key_heads, each, sequences)
        b, a = (graph.slice(both, (group, layer.key_heads, each, sequences), 2 * group, row, row * each) for _ in range(2))
        beta = graph.like("unary", graph.pack(b))
        alpha = graph.pack(a, heads, each, sequences)
    else:
        beta = graph.mul_mat(writer.need("ssm_beta.weight"), inputs)
        beta = graph.like("unary", graph.reshape(beta, 1, heads, each, sequences))
        alpha = graph.reshape(graph.mul_mat(writer.need("ssm_alpha.weight"), inputs), heads, each, sequences)
    decay = graph.like("unary", graph.like("add", alpha, writer.need("ssm_dt.bias")))
    decay = graph.like("mul", decay, writer.need("ssm_a"))
    return graph.reshape(beta, 1, heads, each, sequences), graph.reshape(decay, 1, heads, each, sequences)


def normal(writer: Writer, part: Node) -> Node:
    """Unit length per head."""
    return writer.scale(writer.graph.like("rms_norm", part))


def spread(writer: Writer, layer: GatedDeltaNet, part: Node) -> Node:
    """Key heads repeated to the number of value heads."""
    graph, run = writer.graph, writer.run
    times = layer.value_heads // layer.key_heads
    apart = graph.reshape(part, layer.key_dim, 1, layer.key_heads, run.tokens)
    repeated = graph.op("repeat", (layer.key_dim, times, layer.key_heads, run.tokens), apart)
    return graph.reshape(repeated, layer.key_dim, layer.value_heads, run.tokens // run.sequences, run.sequences)


def gated_attention(writer: Writer, layer: Attention, inputs: Node) -> Node:
    """Softmax attention whose queries bring an output gate (Qwen3-Next, Qwen3.5)."""
    graph, tokens = writer.graph, writer.run.tokens
    graph.expand(inputs)
    steps = Steps()
    both = graph.mul_mat(writer.need("attn_q.weight"), inputs)
    wide = 2 * layer.key_dim
    queries, gate = (graph.slice(both, (layer.key_dim, layer.heads, tokens), wide, wide * layer.heads) for _ in range(2))
    keys = graph.reshape(graph.mul_mat(writer.need("attn_k.weight"), inputs), layer.key_dim, layer.kv_heads, tokens)
    values = graph.reshape(graph.mul_mat(writer.need("attn_v.weight"), inputs), layer.value_dim, layer.kv_heads, tokens)
    queries = turned(writer, "attn_q_norm", queries, steps)
    keys = turned(writer, "attn_k_norm", keys, steps)
    result = mixed(writer, layer, queries, keys, values, windows=False, project=False)
    gate = graph.like("unary", graph.pack(gate, layer.key_dim * layer.heads, tokens))
    return graph.mul_mat(writer.need("attn_output.weight"), graph.like("mul", result, gate))
