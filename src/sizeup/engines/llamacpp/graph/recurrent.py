"""Graphs of layers with a state per sequence: selective state spaces and short convolutions.

Source: llama.cpp b11549, src/llama-graph.cpp (build_rs) and src/models/{mamba-base,lfm2}.cpp.
"""

from __future__ import annotations

from collections.abc import Callable

from ....layers import Mamba1, Mamba2, ShortConv
from ....quant import quant
from .tensors import Node
from .writer import Writer


def state_of(writer: Writer, letter: str, size: int) -> Node:
    """The block's state tensor: `r` is what convolutions and token shifts remember, `s` the recurrence's own."""
    home = writer.homes.layers[writer.index]
    return writer.graph.stored(f"cache_{letter}_l{writer.index}", (size, writer.run.sequences), quant("F32"), home, False)


def gathered(writer: Writer, states: Node, reader: Callable[[Node, Node], Node] | None = None) -> Node:
    """The states of this batch's sequences: gathered from all slots, or read in place by `reader(states, ids)`.

    One slot is cleared first and slots that belong to other sequences are moved; both move no bytes in a full batch.
    """
    graph, sequences = writer.graph, writer.run.sequences
    size = states.shape[0]
    rows = graph.reshape(states, size, sequences)
    cleared = graph.view(rows, (0,), bytes=0)
    graph.expand(in_place("scale", cleared))
    ids, tail, main = writer.state_rows
    if reader is None:
        all_rows = graph.get_rows(rows, ids)
        result = graph.view(all_rows, (size, sequences), True)
    else:
        all_rows = graph.get_rows(rows, tail)
        result = reader(rows, main)
    graph.expand(result)
    extra = graph.view(all_rows, (size, 0), True, bytes=0)
    graph.expand(graph.copy(extra, graph.view(states, (size, 0), True, bytes=0)))
    return result


def in_place(op: str, of: Node) -> Node:
    """An operation that is told to write over its input: a view of it."""
    return Node(op, of.shape, of.type, of.bytes, (of,), of.root or of, of.packed, of.name)


def remembered_and_new(writer: Writer, states: Node, inputs: Node, kernel: int, width: int) -> Node:
    """The remembered inputs and the batch's in one row per channel, with the memory updated: (kernel - 1 + tokens, width, sequences)."""
    graph, run = writer.graph, writer.run
    each = run.tokens // run.sequences
    remembered = graph.reshape(gathered(writer, states), kernel - 1, width, run.sequences)
    turned = graph.view(inputs, (each, width, run.sequences), False, "transpose")
    long = kernel - 1 + each
    window = graph.op("concat", (long, width, run.sequences), remembered, turned)
    last = graph.slice(window, (kernel - 1, width, run.sequences), long, long * width)
    graph.expand(graph.copy(last, graph.view(states, ((kernel - 1) * width, run.sequences))))
    return window


def convolution(writer: Writer, window: Node, kernel: Node) -> Node:
    """The causal convolution of a window of inputs: (width, tokens, sequences)."""
    return writer.graph.op("ssm_conv", (window.shape[1], writer.run.tokens // writer.run.sequences, window.shape[2]), window, kernel)


def mamba2(writer: Writer, layer: Mamba2, inputs: Node) -> Node:
    """One Mamba-2 mixer."""
    graph, run = writer.graph, writer.run
    each, sequences = run.tokens // run.sequences, run.sequences
    width = layer.inner + 2 * layer.groups * layer.state
    head = layer.inner // layer.heads
    memory = state_of(writer, "r", (layer.kernel - 1) * width)
    states = state_of(writer, "s", layer.state * layer.inner)
    projected = graph.mul_mat(writer.need("ssm_in.weight"), inputs)
    projected = graph.reshape(projected, projected.shape[0], each, sequences)
    row = projected.shape[0]
    gate = graph.slice(projected, (head, layer.heads, each, sequences), head, row, row * each)
    steps = graph.slice(projected, (layer.heads, each, sequences), row, row * each)
    window = remembered_and_new(writer, memory, graph.slice(projected, (width, each, sequences), row, row * each), layer.kernel, width)
    mixed = graph.like("unary", writer.biased("ssm_conv1d", convolution(writer, window, writer.need("ssm_conv1d.weight"))))
    x = graph.slice(mixed, (head, layer.heads, each, sequences), head, width, width * each)
    b = graph.slice(mixed, (layer.state, layer.groups, each, sequences), layer.state, width, width * each)
    c = graph.slice(mixed, (layer.state, layer.groups, each, sequences), layer.state, width, width * each)
    steps = graph.like("add", graph.pack(steps), writer.need("ssm_dt.bias"))

    def scan(rows: Node, ids: Node) -> Node:
        state = graph.reshape(rows, layer.state, head, layer.heads, sequences)
        count = layer.inner * run.tokens + layer.state * layer.inner * sequences
        return graph.op("ssm_scan", (count,), state, x, steps, writer.need("ssm_a"), b, c, ids)

    scanned = gathered(writer, states, scan)
    final = graph.view(scanned, (layer.state * layer.inner, sequences), True, bytes=4 * layer.state * layer.inner * sequences)
    graph.expand(graph.copy(final, graph.view(states, (layer.state * layer.inner, sequences))))
    y = graph.slice(scanned, (head, layer.heads, each, sequences), head, layer.inner, layer.inner * each)
    y = graph.like("add", y, graph.like("mul", x, writer.need("ssm_d")))
    y = graph.like("glu", graph.pack(gate), y)
    if writer.has("ssm_norm.weight"):
        y = writer.norm("ssm_norm", graph.reshape(y, layer.inner // layer.groups, layer.groups, each, sequences))
    return graph.mul_mat(writer.need("ssm_out.weight"), graph.reshape(y, layer.inner, run.tokens))


def mamba1(writer: Writer, layer: Mamba1, inputs: Node) -> Node:
    """One Mamba mixer."""
    graph, run = writer.graph, writer.run
    each, sequences = run.tokens // run.sequences, run.sequences
    memory = state_of(writer, "r", (layer.kernel - 1) * layer.inner)
    states = state_of(writer, "s", layer.state * layer.inner)
    conv_rows = graph.reshape(inputs, inputs.shape[0], each, sequences)
    projected = graph.mul_mat(writer.need("ssm_in.weight"), conv_rows)
    row = projected.shape[0]
    x, gate = (graph.slice(projected, (layer.inner, each, sequences), row, row * each) for _ in range(2))
    window = remembered_and_new(writer, memory, x, layer.kernel, layer.inner)
    x = graph.like("unary", writer.biased("ssm_conv1d", convolution(writer, window, writer.need("ssm_conv1d.weight"))))
    parts = graph.mul_mat(writer.need("ssm_x.weight"), x)
    row = parts.shape[0]
    steps = graph.slice(parts, (layer.step_rank, each, sequences), row, row * each)
    b, c = (graph.slice(parts, (layer.state, 1, each, sequences), layer.state, row, row * each) for _ in range(2))
    if layer.norms:
        steps, b, c = (writer.norm(name, part) for name, part in (("ssm_dt_norm", steps), ("ssm_b_norm", b), ("ssm_c_norm", c)))
    else:
        steps = graph.pack(steps)
    steps = writer.biased("ssm_dt", graph.mul_mat(writer.need("ssm_dt.weight"), steps))
    wide = graph.reshape(x, 1, layer.inner, each, sequences)

    def scan(rows: Node, ids: Node) -> Node:
        state = graph.reshape(rows, layer.state, 1, layer.inner, sequences)
        count = layer.inner * run.tokens + layer.state * layer.inner * sequences
        return graph.op("ssm_scan", (count,), state, wide, steps, writer.need("ssm_a"), b, c, ids)

    scanned = gathered(writer, states, scan)
    final = graph.view(scanned, (layer.state * layer.inner * sequences,), True, bytes=4 * layer.state * layer.inner * sequences)
    graph.expand(graph.copy(final, graph.view(states, (layer.state * layer.inner * sequences,))))
    y = graph.slice(scanned, (layer.inner, each, sequences), layer.inner, layer.inner * each)
    y = graph.like("add", y, graph.like("mul", x, writer.need("ssm_d")))
    y = graph.like("glu", graph.pack(gate), y)
    return graph.reshape(graph.mul_mat(writer.need("ssm_out.weight"), y), inputs.shape[0], run.tokens)


def short_conv(writer: Writer, layer: ShortConv, inputs: Node) -> Node:
    """One gated short convolution (LFM2)."""
    graph, run = writer.graph, writer.run
    each, sequences, width = run.tokens // run.sequences, run.sequences, layer.hidden
    projected = graph.mul_mat(writer.need("shortconv.in_proj.weight"), graph.reshape(inputs, width, each, sequences))
    before, after, x = (graph.slice(projected, (width, each, sequences), 3 * width, 3 * width * each) for _ in range(3))
    gated = graph.like("mul", before, x)
    memory = state_of(writer, "r", (layer.kernel - 1) * width)
    window = remembered_and_new(writer, memory, gated, layer.kernel, width)
    y = graph.like("mul", after, convolution(writer, window, writer.need("shortconv.conv.weight")))
    return graph.reshape(graph.mul_mat(writer.need("shortconv.out_proj.weight"), y), width, run.tokens)
