"""Graph of the lightning indexer: small heads score every cached token, and attention sees only the best of them.

Source: llama.cpp b11549, src/models/{deepseek32,glm-dsa}.cpp and src/llama-graph.cpp (build_attn with a DSA cache).
"""

from __future__ import annotations

from ....layers import Indexer
from .attention import store
from .tensors import Node, full
from .writer import Writer


def best_tokens(writer: Writer, indexer: Indexer, inputs: Node, queries: Node) -> Node:
    """Numbers of the cached tokens that each token attends to: (chosen, tokens, 1, streams). `queries` are the compressed ones."""
    graph, run = writer.graph, writer.run
    each = run.tokens // run.streams
    turn = writer.given("attn_inp_k_rot_lid", indexer.dim, indexer.dim)
    small = graph.reshape(graph.mul_mat(writer.need("indexer.attn_q_b.weight"), queries), indexer.dim, indexer.heads, run.tokens)
    small = graph.mul_mat(turn, graph.like("rope", small, writer.positions))
    key = writer.norm("indexer.k_norm", graph.mul_mat(writer.need("indexer.attn_k.weight"), inputs), True)
    key = graph.mul_mat(turn, graph.like("rope", graph.reshape(key, indexer.dim, 1, run.tokens), writer.positions))
    home = writer.homes.layers[writer.index]
    cache = graph.stored(f"cache_k_lid_l{writer.index}", (indexer.dim, run.cells, run.streams), run.k, home, False)
    store(writer, cache, key, "attn_inp_k_idxs_lid", False)
    weights = graph.mul_mat(writer.need("indexer.proj.weight"), inputs)
    keys = graph.view(cache, (indexer.dim, 1, run.cells, run.streams), False)
    small = graph.view(small, (indexer.dim, indexer.heads, each, run.streams), False)
    weights = writer.scale(graph.view(weights, (indexer.heads, each, 1, run.streams), False))
    mask = writer.given("attn_inp_kq_mask_lid", run.cells, each, 1, run.streams, type="f16")
    scores = graph.op("indexer", (run.cells, each, 1, run.streams), small, keys, weights, mask)
    chosen = min(run.cells, indexer.top_tokens or run.cells)
    return graph.pack(graph.op("top_k", (chosen, each, 1, run.streams), scores, type="i32"))


def narrowed(writer: Writer, chosen: Node) -> Node:
    """The attention mask with all but the chosen tokens masked."""
    return opened(writer, writer.mask("attn_inp_kq_mask", writer.run.cells, writer.run.streams), chosen, "f32")


def opened(writer: Writer, mask: Node, chosen: Node, zeros: str) -> Node:
    """A mask with all but the chosen cells masked; `zeros`: the type of what is written to them."""
    graph, (cells, each, _, streams) = writer.graph, mask.shape
    emptied = graph.view(graph.like("fill", mask), (1, cells, each, streams), False)
    nothing = graph.like("fill", Node("none", full((1, chosen.shape[0], each, streams)), zeros))
    unmasked = graph.set_rows(emptied, nothing, graph.view(chosen, (chosen.shape[0], each, streams), False))
    return graph.like("add", graph.view(unmasked, mask.shape, False), mask)
