"""What Gemma adds to a transformer: per-layer embeddings (3n, 4), experts beside a dense part (4), alternating updates (3n).

Source: llama.cpp b11549, src/models/{gemma3n,gemma4}.cpp.
"""

from __future__ import annotations

from ....layers import Attention, Moe
from .attention import attention
from .families import Routing, Steps
from .feed import dense, experts
from .tensors import Node
from .writer import Writer

COPIES = 4
"""Versions of the residual stream that alternating updates keep (altup_num_inputs of every published model)."""


def per_layer_rows(writer: Writer) -> Node:
    """Rows of the per-layer embedding for this batch, looked up before anything else."""
    table = writer.shared("per_layer_token_embd.weight")
    assert table is not None
    return writer.graph.get_rows(table, writer.graph.given("inp_tokens", (writer.run.tokens,), "i32"))


def per_layer_inputs(writer: Writer, residual: Node, rows: Node, layers: int) -> Node:
    """Per-layer embeddings mixed with a projection of the residual: (width, tokens, layers)."""
    graph, tokens = writer.graph, writer.run.tokens
    width = rows.shape[0] // layers if rows.shape[1] == tokens else rows.shape[0]
    writer.prefix = ""
    projected = writer.scale(graph.mul_mat(writer.need("per_layer_model_proj.weight"), residual))
    projected = writer.norm("per_layer_proj_norm", graph.reshape(projected, width, layers, tokens), pinned=False)
    summed = writer.scale(writer.add(projected, graph.reshape(rows, width, layers, tokens)))
    return graph.pack(graph.permute(summed, 0, 2, 1, 3))


def slice_of(writer: Writer, stacked: Node, rows: int) -> Node:
    """One (width, tokens) slice of a (width, tokens, n) stack."""
    return writer.graph.slice(stacked, (stacked.shape[0], rows), stacked.shape[0])


def per_layer_update(writer: Writer, residual: Node, inputs: Node, last: bool) -> Node:
    """A block's gated per-layer embedding added to the residual (Gemma 4)."""
    graph = writer.graph
    gate = graph.like("unary", graph.mul_mat(writer.need("inp_gate.weight"), residual))
    own = slice_of(writer, inputs, writer.run.tokens)
    if last:
        own = writer.crop(own)
    update = graph.mul_mat(writer.need("proj.weight"), graph.like("mul", gate, own))
    return writer.add(residual, writer.norm("post_norm", update))


def dense_and_experts(writer: Writer, part: Moe, residual: Node) -> Node:
    """A dense part and routed experts side by side, each with norms of its own (Gemma 4 MoE)."""
    graph = writer.graph
    beside = writer.norm("post_ffw_norm_1", dense(writer, writer.norm("ffn_norm", residual)))
    inputs = writer.norm("pre_ffw_norm_2", residual)
    scores = graph.like("mul", writer.scale(graph.like("rms_norm", residual)), writer.need("ffn_gate_inp.scale"))
    logits = graph.mul_mat(writer.need("ffn_gate_inp.weight"), scores)
    routed = experts(writer, part, inputs, Routing(), logits=logits)
    return writer.add(beside, writer.norm("post_ffw_norm_2", routed))


# -- alternating updates (Gemma 3n) ----------------------------------------------------------------------------------


def magnitude(writer: Writer, x: Node) -> Node:
    graph = writer.graph
    return graph.like("sqrt", graph.op("sum_rows", (1, *x.shape[1:]), graph.like("sqr", x)))


def spread_stream(writer: Writer, residual: Node) -> Node:
    """The residual stream in four versions: (hidden, tokens, 4)."""
    graph = writer.graph
    hidden, tokens = residual.shape[0], residual.shape[1]
    writer.prefix = ""
    target = magnitude(writer, residual)
    others = graph.op("repeat", (hidden, tokens, COPIES - 1), residual)
    others = graph.mul_mat(writer.need("altup_proj.weight"), others)
    new = magnitude(writer, others)
    others = graph.like("div", graph.like("mul", others, target), new)
    return graph.op("concat", (hidden, tokens, COPIES), residual, others)


def gather_stream(writer: Writer, stack: Node) -> Node:
    """One residual stream from four."""
    graph = writer.graph
    hidden, tokens = stack.shape[0], stack.shape[1]
    writer.prefix = ""
    target = magnitude(writer, slice_of(writer, stack, tokens))
    others = graph.slice(stack, (hidden, tokens, COPIES - 1), hidden, hidden * tokens)
    others = graph.mul_mat(writer.need("altup_unembd_proj.weight"), others)
    new = magnitude(writer, others)
    others = graph.like("div", graph.like("mul", others, target), new)
    summed = slice_of(writer, stack, tokens)
    for _ in range(COPIES - 1):
        summed = writer.add(summed, slice_of(writer, others, tokens))
    return writer.scale(summed)


def router(writer: Writer, x: Node) -> Node:
    """How much of each version to use: (4, tokens)."""
    scaled = writer.scale(writer.norm("altup_router_norm", x))
    return writer.graph.like("unary", writer.graph.mul_mat(writer.need("altup_router.weight"), scaled))


def sparse_gate(writer: Writer, gate: Node) -> Node:
    """Keeps only values above a cut-off from their mean and deviation."""
    graph = writer.graph
    one = (1, *gate.shape[1:])
    mean = graph.op("mean", one, gate)
    squares = graph.op("sum_rows", one, graph.like("sqr", graph.like("sub", gate, mean)))
    deviation = graph.like("sqrt", writer.scale(squares))
    cut = writer.add(mean, writer.scale(deviation))
    return graph.like("unary", graph.like("sub", gate, cut))


def altup_block(writer: Writer, layer: Attention, stack: Node, inputs: Node, steps: Steps, sparse: bool) -> Node:
    """One block of Gemma 3n on the four versions of the residual stream."""
    graph, tokens = writer.graph, writer.run.tokens
    hidden = stack.shape[0]
    coefficients = graph.mul_mat(writer.need("altup_predict_coef.weight"), router(writer, slice_of(writer, stack, tokens)))
    coefficients = graph.reshape(coefficients, COPIES, COPIES, tokens)
    turned = graph.pack(graph.permute(stack, 1, 2, 0, 3))
    predicted = graph.op("mul_mat", (hidden, COPIES, tokens), turned, coefficients)
    predicted = writer.add(graph.pack(graph.permute(predicted, 0, 2, 1, 3)), stack)
    active = slice_of(writer, predicted, tokens)
    normed = writer.norm("attn_norm", active)
    low = graph.mul_mat(writer.need("laurel_l.weight"), normed)
    side = writer.add(writer.norm("laurel_post_norm", graph.mul_mat(writer.need("laurel_r.weight"), low)), normed)
    attended = writer.norm("post_attention_norm", attention(writer, layer, normed, steps, windows=True))
    middle = writer.scale(writer.add(writer.add(attended, active), side))
    normed = writer.norm("ffn_norm", middle)
    up = graph.mul_mat(writer.need("ffn_up.weight"), normed)
    gate = graph.mul_mat(writer.need("ffn_gate.weight"), normed)
    if sparse:
        gate = sparse_gate(writer, gate)
    fed = graph.mul_mat(writer.need("ffn_down.weight"), graph.like("mul", up, graph.like("unary", gate)))
    done = writer.add(writer.norm("post_ffw_norm", fed, pinned=False), middle)
    corrected = correct(writer, predicted, done)
    update = graph.like("mul", slice_of(writer, corrected, tokens), writer.need("altup_correct_scale.weight"))
    update = graph.like("unary", graph.mul_mat(writer.need("inp_gate.weight"), update))
    update = graph.like("mul", update, slice_of(writer, inputs, tokens))
    update = writer.norm("post_norm", graph.mul_mat(writer.need("proj.weight"), update))
    first = slice_of(writer, corrected, tokens)
    rest = graph.slice(corrected, (hidden, tokens, COPIES - 1), hidden, hidden * tokens)
    return graph.op("concat", (hidden, tokens, COPIES), first, writer.add(rest, update))


def correct(writer: Writer, predicted: Node, done: Node) -> Node:
    """The predicted versions moved by what the active one turned out to be."""
    graph, tokens = writer.graph, writer.run.tokens
    weights = router(writer, done)
    surprise = graph.like("sub", done, slice_of(writer, predicted, tokens))
    coefficients = writer.scale(graph.mul_mat(writer.need("altup_correct_coef.weight"), weights))
    coefficients = graph.view(coefficients, (tokens, COPIES), False, "transpose")
    coefficients = graph.pack(coefficients, 1, tokens, COPIES)
    repeated = graph.op("repeat", predicted.shape, surprise)
    return writer.add(graph.like("mul", repeated, coefficients), predicted)
