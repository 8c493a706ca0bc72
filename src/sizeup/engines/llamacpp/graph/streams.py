"""Graph of hyper-connections (DeepSeek V4): several residual streams, mixed before a part and written to after it.

Source: llama.cpp b11549, src/models/deepseek4.cpp (build_hc_pre, build_hc_post, build_hc_head), its fused operations.
"""

from __future__ import annotations

from .tensors import Node
from .writer import Writer


def spread(writer: Writer, residual: Node, streams: int) -> Node:
    """The embedding in every stream: (hidden, streams, tokens)."""
    graph, (hidden, tokens) = writer.graph, residual.shape[:2]
    return graph.op("repeat", (hidden, streams, tokens), graph.reshape(residual, hidden, 1, tokens))


def mixes(writer: Writer, x: Node, name: str) -> Node:
    """Weights of all streams for each token, before they are shaped."""
    graph, (hidden, streams, tokens, _) = writer.graph, x.shape
    return graph.mul_mat(writer.need(f"{name}_fn.weight"), graph.like("rms_norm", graph.reshape(x, hidden * streams, tokens)))


def shaped(writer: Writer, part: Node, name: str, whole: bool) -> Node:
    """Scaled, shifted and squashed; of the stored factors, all or one part's."""
    graph = writer.graph
    factor, shift = writer.need(f"{name}_scale.weight"), writer.need(f"{name}_base.weight")
    if not whole:
        factor, shift = graph.view(factor, (1,), bytes=4), graph.view(shift, (part.shape[0],), bytes=4 * part.shape[0])
    return writer.scale(graph.like("unary", graph.like("add", graph.like("mul", part, factor), shift)))


def gathered(writer: Writer, x: Node, name: str) -> tuple[Node, Node, Node]:
    """What a part reads, and how its result is written back: (input, weights per stream, mixing matrix)."""
    graph, (hidden, streams, tokens, _) = writer.graph, x.shape
    all = mixes(writer, x, name)
    before, after = (shaped(writer, graph.slice(all, (streams, tokens), all.shape[0]), name, False) for _ in range(2))
    matrix = graph.op("mix", (streams, streams, tokens), all, writer.need(f"{name}_scale.weight"), writer.need(f"{name}_base.weight"))
    return graph.op("weigh", (hidden, tokens), x, before), after, matrix


def written(writer: Writer, result: Node, x: Node, after: Node, matrix: Node) -> Node:
    """The streams with a part's result in them."""
    return writer.graph.op("write_streams", x.shape, result, x, after, matrix)


def head(writer: Writer, x: Node) -> Node:
    """One stream of several, stream by stream, for the rows whose logits are asked for."""
    graph, (hidden, streams, tokens, _) = writer.graph, x.shape
    # Drafting reads the streams: the engine keeps them as a result.
    x.kept = True
    rows = writer.crop(graph.reshape(x, hidden * streams, tokens))
    x = graph.reshape(rows, hidden, streams, rows.shape[1])
    shares = shaped(writer, mixes(writer, x, "output_hc"), "output_hc", True)
    result: Node | None = None
    for _ in range(streams):
        own = graph.slice(x, (hidden, rows.shape[1]), hidden * streams)
        part = graph.like("mul", own, graph.slice(shares, (1, rows.shape[1]), streams))
        result = part if result is None else graph.like("add", result, part)
    assert result is not None
    return result
