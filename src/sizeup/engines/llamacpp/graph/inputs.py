"""The first nodes of a graph: three ways in for a token's embedding, of which one runs but all are reserved.

llama.cpp b11549, src/llama-graph.cpp (build_inp_embd): token ids, raw embeddings, and a mix of both.
"""

from __future__ import annotations

from .tensors import Node
from .writer import Writer


def embeddings(writer: Writer, hidden: int, *, mixed: bool = True, scaled_rows: bool = False, scaled: bool = False) -> Node:
    """The residual stream before the first block. `scaled_rows`: token rows times an input; `scaled`: times a constant."""
    graph, tokens = writer.graph, writer.run.tokens
    table = writer.shared("token_embd.weight")
    assert table is not None
    looked_up = graph.expand(graph.get_rows(table, writer.given("inp_tokens", tokens, type="i32")))
    raw = writer.given("inp_embd", hidden, tokens)
    if mixed:
        part = graph.expand(graph.get_rows(table, writer.given("inp_mixed_tokens", tokens, type="i32")))
        into = graph.like("dup", writer.given("inp_mixed_embd", hidden, tokens))
        both = graph.set_rows(into, part, writer.given("inp_mixed_slots", tokens, type="i64"))
    graph.expand(looked_up)
    graph.expand(raw)
    if mixed:
        graph.expand(both)
    result = looked_up
    if scaled:
        result = writer.scale(result)
    if scaled_rows:
        result = graph.like("mul", result, writer.given("inp_scale_rows", 1, tokens))
    graph.expand(result)
    kinds = writer.shared("token_types.weight")
    if kinds is not None:
        result = writer.add(result, graph.view(kinds, (hidden,), bytes=hidden * kinds.bytes // kinds.shape[0] // kinds.rows))
    positions = writer.shared("position_embd.weight")
    if positions is not None:
        rows = graph.get_rows(positions, writer.positions)
        result = writer.add(rows, result) if kinds is not None else writer.add(result, rows)
    return result
