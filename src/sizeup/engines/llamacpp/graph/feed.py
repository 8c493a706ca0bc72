"""Graphs of feed-forward parts: dense, and mixtures of experts.

Source: llama.cpp b11549, src/llama-graph.cpp (build_ffn, build_moe_ffn).
"""

from __future__ import annotations

from ....layers import Moe
from .families import Routing
from .tensors import Node
from .writer import Writer


def dense(writer: Writer, inputs: Node, suffix: str = "", activation: str = "") -> Node:
    """Up, gate when there is one, activation, down. Gated activations make a new tensor, plain ones write in place."""
    graph = writer.graph
    up = writer.linear(f"ffn_up{suffix}", inputs)
    down = writer.need(f"ffn_down{suffix}.weight")
    if writer.has(f"ffn_gate{suffix}.weight"):
        gate = writer.linear(f"ffn_gate{suffix}", inputs)
        hidden = gated(writer, gate, up, activation)
    elif up.shape[0] == 2 * down.shape[0]:
        hidden = graph.op("glu", (down.shape[0], *up.shape[1:]), up)
    else:
        hidden = graph.like("unary", up)
        if activation == "squared":
            hidden = graph.like("sqr", hidden)
    return writer.biased(f"ffn_down{suffix}", graph.mul_mat(down, hidden))


def gated(writer: Writer, gate: Node, up: Node, activation: str) -> Node:
    """Gate and values together: one step, but for bounded ones."""
    graph = writer.graph
    if activation != "situ":
        return graph.like("glu", gate, up)
    bounded = writer.scale(graph.like("unary", writer.scale(gate)))
    bounded = graph.like("mul", bounded, graph.like("unary", gate))
    if writer.hyper.get("activation.situ_linear_beta", 0) > 0:
        up = writer.scale(graph.like("unary", writer.scale(up)))
    return graph.like("mul", bounded, up)


def chosen_experts(writer: Writer, part: Moe, inputs: Node, routing: Routing, logits: Node | None = None) -> tuple[Node, Node]:
    """Which experts each token uses (used, tokens), and their weights (1, used, tokens). `logits` when the caller has them.

    Where the file has a table of experts by token, that is read instead of ranking them.
    """
    graph, tokens = writer.graph, inputs.shape[1]
    if logits is None:
        logits = writer.linear("ffn_gate_inp", inputs)
    scores = logits
    if routing.gate == "softmax":
        scores = graph.like("soft_max", logits)
    elif routing.gate == "sigmoid":
        scores = graph.like("unary", logits)
    elif routing.gate == "root":
        scores = graph.like("sqrt", graph.like("unary", logits))
    table = writer.weight("ffn_gate_tid2eid.weight")
    if table is not None:
        picked = graph.get_rows(table, writer.given("inp_tokens", tokens, type="i32"))
        return weighed(writer, part, scores, picked, routing)
    ranked = scores
    bias = writer.weight("exp_probs_b.bias")
    if bias is not None:
        ranked = graph.like("add", scores, bias)
    if routing.weigh_inputs:
        ranked = logits
    if routing.groups > 1:
        ranked = best_groups(writer, part, ranked, routing)
    order = graph.op("argsort", ranked.shape, ranked, type="i32")
    return weighed(writer, part, scores, graph.view(order, (part.used, tokens), False), routing)


def weighed(writer: Writer, part: Moe, scores: Node, picked: Node, routing: Routing) -> tuple[Node, Node]:
    """The picked experts, with what their scores become."""
    graph, tokens = writer.graph, picked.shape[1]
    weights = graph.get_rows(graph.reshape(scores, 1, part.experts, tokens), picked)
    if routing.gate == "chosen":
        weights = graph.like("soft_max", graph.reshape(weights, part.used, tokens))
        weights = graph.reshape(weights, 1, part.used, tokens)
    if routing.normalised:
        weights = graph.reshape(weights, part.used, tokens)
        sums = graph.like("clamp", graph.op("sum_rows", (1, tokens), weights))
        weights = graph.reshape(graph.like("div", weights, sums), 1, part.used, tokens)
    if routing.scaled:
        weights = writer.scale(weights)
    return picked, graph.expand(weights)


def expert_scales(writer: Writer, part: Moe, scales: Node, picked: Node) -> Node:
    """One stored factor per chosen expert."""
    graph, tokens = writer.graph, picked.shape[1]
    repeated = graph.op("repeat", (1, part.experts, tokens), graph.reshape(scales, 1, part.experts, 1))
    return graph.get_rows(repeated, picked)


def best_groups(writer: Writer, part: Moe, ranked: Node, routing: Routing) -> Node:
    """Scores of experts outside the best groups are masked (DeepSeek V3)."""
    graph, tokens = writer.graph, ranked.shape[1]
    each = part.experts // routing.groups
    grouped = graph.reshape(ranked, each, routing.groups, tokens)
    two = graph.view(graph.op("argsort", grouped.shape, grouped, type="i32"), (2, routing.groups, tokens), False)
    best = graph.get_rows(graph.reshape(grouped, 1, each, routing.groups, tokens), two)
    summed = graph.op("sum_rows", (1, routing.groups, tokens), graph.reshape(best, 2, routing.groups, tokens))
    summed = graph.reshape(summed, routing.groups, tokens)
    kept = graph.view(graph.op("argsort", summed.shape, summed, type="i32"), (routing.used_groups, tokens), False)
    rows = graph.get_rows(grouped, kept)
    emptied = graph.like("fill", grouped)
    return graph.reshape(graph.set_rows(emptied, rows, kept), part.experts, tokens)


def experts(writer: Writer, part: Moe, inputs: Node, routing: Routing, activation: str = "", logits: Node | None = None) -> Node:
    """The routed experts' weighted sum."""
    graph = writer.graph
    picked, weights = chosen_experts(writer, part, inputs, routing.of_file(writer.hyper), logits)
    tokens = inputs.shape[1]
    rows = graph.reshape(inputs, inputs.shape[0], 1, tokens)
    if routing.weigh_inputs:
        repeated = graph.op("repeat", (inputs.shape[0], part.used, tokens), rows)
        rows = graph.like("mul", repeated, weights)

    def through(name: str, source: Node) -> Node:
        result = graph.mul_mat_id(writer.need(f"{name}.weight"), source, picked)
        scales = writer.weight(f"{name}.scale")
        if scales is not None:
            result = graph.like("mul", result, expert_scales(writer, part, scales, picked))
        bias = writer.weight(f"{name}.bias")
        return graph.like("add_id", result, bias, picked) if bias is not None else result

    if writer.has("ffn_gate_up_exps.weight"):
        both = through("ffn_gate_up_exps", rows)
        half = (both.shape[0] // 2, part.used, tokens)
        hidden = graph.op("glu", half, graph.view(both, half, False), graph.view(both, half, False))
    else:
        up = through("ffn_up_exps", rows)
        if writer.has("ffn_gate_exps.weight"):
            hidden = gated(writer, through("ffn_gate_exps", rows), up, activation)
        else:
            hidden = graph.like("unary", up)
            if activation == "squared":
                hidden = graph.like("sqr", hidden)
    result = through("ffn_down_exps", hidden)
    if not routing.weigh_inputs:
        result = graph.like("mul", result, weights)
    graph.expand(result)
    wide = result.shape[0]
    slices = [graph.expand(graph.view(result, (wide, tokens), False)) for _ in range(part.used)]
    summed = slices[0]
    for other in slices[1:]:
        summed = graph.expand(graph.op("add", (wide, tokens), summed, other))
    return summed if part.used > 1 else graph.pack(summed)
