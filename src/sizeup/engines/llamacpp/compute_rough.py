"""A rough compute buffer for layer kinds whose graph is not written down: its band says how rough.

The widest moments of most graphs are the feed-forward part and the logits, beside a handful of residual-sized tensors
and the attention mask; that is summed here and nothing finer.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...figure import Number, most, step
from ...layers import Mlp, Moe, Part
from ...model import ModelSpec
from ...plan import Claim
from .graph.sheet import Homes
from .placement import pool
from .slots import Slots

WITHIN = 0.6
"""Stated band: an assumption, wide on purpose."""

RESIDUALS = 5
"""Residual-sized tensors alive at the widest moment of the graphs that are known."""


def rough_claims(model: ModelSpec, made: Slots, where: Homes) -> Iterator[Claim]:
    """One claim per device that holds a layer, and one for the host."""
    widest = most(0, *(feed_values(group.block.feed) for group in model.groups))
    bytes = rough_bytes(made.graph_tokens, model.hidden, widest, model.vocabulary, made.output_rows, made.sequence_tokens)
    for backend in sorted({*where.layers, where.output, where.cpu}):
        yield Claim("compute", pool(backend, where), bytes, WITHIN, label="rough")


def feed_values(part: Part | None) -> Number:
    """Values per token in the widest moment of a feed-forward part: gate, up and their product."""
    if isinstance(part, Moe):
        return 3 * part.used * part.width
    return (3 if part.gated else 1) * part.width if isinstance(part, Mlp) else 0


@step("rough_compute")
def rough_bytes(tokens: Number, hidden: Number, widest: Number, vocabulary: Number, outputs: Number, cells: Number) -> Number:
    """Residuals, mask (f16) and the wider of feed-forward and logits, as f32."""
    return 4 * (tokens * (RESIDUALS * hidden + cells // 2) + most(tokens * widest, outputs * vocabulary))
