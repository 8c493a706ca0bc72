"""Graph of attention over earlier states of the residual stream (Kimi K3): what a part reads is a weighted sum of them.

Source: llama.cpp b11549, src/models/kimi-k3.cpp (res_mix, res_push).
"""

from __future__ import annotations

from .tensors import Node
from .writer import Writer


def banked(writer: Writer, bank: Node | None, current: Node) -> Node:
    """The bank with one more state: (hidden, states, tokens)."""
    graph, (hidden, tokens) = writer.graph, current.shape[:2]
    state = graph.reshape(current, hidden, 1, tokens)
    return state if bank is None else graph.op("concat", (hidden, bank.shape[1] + 1, tokens), bank, state)


def mixed(writer: Writer, bank: Node | None, current: Node, score: Node) -> Node:
    """The banked states and the current one, weighed by a softmax of their scores."""
    if bank is None:
        return current
    graph, (hidden, states, tokens, _) = writer.graph, bank.shape

    def scored(part: Node) -> Node:
        normed = graph.like("mul", graph.like("rms_norm", part), score)
        return graph.op("sum_rows", (1, *normed.shape[1:]), normed)

    earlier = graph.reshape(scored(bank), states, tokens)
    shares = graph.like("soft_max", graph.op("concat", (states + 1, tokens), earlier, scored(current)))
    of_bank = graph.pack(graph.slice(shares, (states, tokens), states + 1))
    own = graph.pack(graph.slice(shares, (1, tokens), states + 1))
    summed = graph.op("weigh", (hidden, tokens), bank, of_bank)
    return graph.like("add", summed, graph.like("mul", current, own))
