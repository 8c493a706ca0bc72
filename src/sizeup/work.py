"""What one step of an engine moves and computes, pool by pool: the side of speed that is counted, not measured.

A step takes `tokens` new tokens through every layer. Weights are read once per step however many tokens it takes; the cache
is read once per sequence. Routed experts are read when at least one token chose them.
"""

from __future__ import annotations

from typing import NamedTuple

from .figure import Number, step, total


class Share(NamedTuple):
    """Weights of one number format in one pool."""

    format: str
    """The format's name ("Q4_K")."""
    bytes: Number
    """Bytes that the step reads; of routed experts those that some token is expected to choose."""
    flops: Number
    """Two per weight and token that meets it."""
    rows: Number
    """Tokens that meet each weight read: all of the step's, or an expert's share of them."""
    routed: bool = False
    packed: bool = False
    """Whether the host reads its own rearranged copy of them."""
    dots: Number = 0
    """Dot products: rows of the matrices, times the tokens that meet them. 0 where an engine does not count them."""


class Work(NamedTuple):
    """One step's work on the device that owns one pool."""

    pool: str
    layers: int
    """Blocks that run there."""
    expert_layers: int
    """Those of them with routed experts."""
    shares: tuple[Share, ...]
    cache_bytes: Number
    """Keys and values that are read, of all sequences."""
    state_bytes: Number
    """Recurrent states that are read and written."""
    mixing_flops: Number
    """Of attention over cached tokens and of recurrences; weights not included."""
    tokens: Number
    """New tokens of the step, of all sequences."""
    depth_tokens: int = 0
    """Tokens that each sequence holds before it."""
    cache_rows: Number = 0
    """Pieces that the keys read lie in: one per cell and key head, as values have."""

    @property
    def weight_bytes(self) -> Number:
        return total(share.bytes for share in self.shares)

    @property
    def moved_bytes(self) -> Number:
        """All bytes that the step reads from the pool: weights, cache and state."""
        return self.weight_bytes + self.cache_bytes + self.state_bytes


@step("experts_read")
def experts_read(experts: Number, used: Number, tokens: Number) -> Number:
    """Routed experts of one layer that a step reads: those that at least one of its tokens chose.

    Every token chooses `used` of them, evenly and without regard to the others (assumed: real routers choose a little less evenly,
    and read less).
    """
    return experts * (1 - (1 - used / experts) ** tokens)


@step("matrix_flops")
def matrix_flops(weights: Number, tokens: Number) -> Number:
    """A multiplication and an addition for each weight and token."""
    return 2 * weights * tokens
