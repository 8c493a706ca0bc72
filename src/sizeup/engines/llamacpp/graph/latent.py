"""Graphs of multi-head latent attention: queries and one latent per token, absorbed or rebuilt to full heads.

Source: llama.cpp b11549, src/models/{deepseek2,deepseek32,glm-dsa,kimi-linear,kimi-k3,minicpm3}.cpp.
"""

from __future__ import annotations

from ....layers import Attention, LatentAttention
from .attention import mixed, product, store
from .families import Steps
from .indexer import best_tokens, narrowed
from .tensors import Node
from .writer import Writer


def latent(writer: Writer, layer: LatentAttention, inputs: Node, steps: Steps) -> Node:
    """A whole latent attention part. Absorbed, every head attends to the latent, which is also the value."""
    graph, run, tokens = writer.graph, writer.run, writer.run.tokens
    wide, rank = layer.nope_dim + layer.rope_dim, layer.kv_rank
    if writer.has("attn_q_a.weight"):
        compressed = writer.norm("attn_q_a_norm", graph.mul_mat(writer.need("attn_q_a.weight"), inputs))
        if layer.indexer is not None:
            writer.chosen = best_tokens(writer, layer.indexer, inputs, compressed)
        queries = graph.mul_mat(writer.need("attn_q_b.weight"), compressed)
    else:
        queries = graph.mul_mat(writer.need("attn_q.weight"), inputs)
    queries = graph.reshape(queries, wide, layer.heads, tokens)
    compressed = graph.mul_mat(writer.need("attn_kv_a_mqa.weight"), inputs)
    plain = graph.slice(compressed, (rank, tokens), rank + layer.rope_dim)
    key_part = turned(writer, graph.slice(compressed, (layer.rope_dim, 1, tokens), 0, rank + layer.rope_dim), steps)
    plain = writer.norm("attn_kv_a_norm", plain)
    if not layer.absorbed:
        return unabsorbed(writer, layer, queries, key_part, plain, steps)
    q_nope = graph.permute(graph.slice(queries, (layer.nope_dim, layer.heads, tokens), wide, wide * layer.heads), 0, 2, 1, 3)
    q_rope = turned(writer, graph.slice(queries, (layer.rope_dim, layer.heads, tokens), wide, wide * layer.heads), steps)
    absorbed = graph.permute(graph.mul_mat(writer.need("attn_k_b.weight"), q_nope), 0, 2, 1, 3)
    q = graph.op("concat", (rank + layer.rope_dim, layer.heads, tokens), absorbed, q_rope)
    values = graph.reshape(plain, rank, 1, tokens)
    keys = graph.op("concat", (rank + layer.rope_dim, 1, tokens), values, key_part)
    for part in (q, values, keys):
        graph.expand(part)
    cache = graph.stored(
        f"cache_k_l{writer.index}", (rank + layer.rope_dim, run.cells, run.streams), run.k, writer.homes.layers[writer.index], False
    )
    store(writer, cache, keys, "attn_inp_k_idxs", False)
    k = graph.view(cache, (rank + layer.rope_dim, 1, run.cells, run.streams), False)
    v = graph.view(k, (rank, 1, run.cells, run.streams), False, bytes=cache.bytes - int(run.k.row_bytes(layer.rope_dim)))
    mask = "attn_inp_kq_mask" if writer.chosen is None else narrowed(writer, writer.chosen)
    result = product(writer, q, k, v, run.cells, mask, up=writer.need("attn_v_b.weight"))
    if writer.has("attn_gate.weight"):
        result = graph.like("mul", result, graph.like("unary", writer.linear("attn_gate", inputs)))
    return writer.linear("attn_output", result)


def turned(writer: Writer, part: Node, steps: Steps) -> Node:
    """With its rotation, where the family has one."""
    return writer.graph.like("rope", part, writer.positions) if steps.rope else part


def unabsorbed(writer: Writer, layer: LatentAttention, queries: Node, key_part: Node, plain: Node, steps: Steps) -> Node:
    """Full heads rebuilt from the latent before they are cached (MiniCPM3, files without the MLA tensors)."""
    graph, tokens = writer.graph, writer.run.tokens
    both = graph.mul_mat(writer.need("attn_kv_b.weight"), plain)
    each = layer.nope_dim + layer.value_dim
    k_nope = graph.slice(both, (layer.nope_dim, layer.heads, tokens), each, each * layer.heads)
    values = graph.pack(graph.slice(both, (layer.value_dim, layer.heads, tokens), each, each * layer.heads))
    queries = turned(writer, queries, steps)
    spread = graph.op("repeat", (layer.rope_dim, layer.heads, tokens), key_part)
    keys = graph.op("concat", (layer.nope_dim + layer.rope_dim, layer.heads, tokens), k_nope, spread)
    plain_layer = Attention(layer.heads, layer.heads, layer.nope_dim + layer.rope_dim, layer.value_dim)
    return mixed(writer, plain_layer, queries, keys, values, windows=False)
