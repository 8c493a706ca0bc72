"""FLOPs of training on one token, from the layers themselves: matrices, attention over the sequence, recomputation.

Counted: two per weight that a token meets and the mixing of tokens, forward once and backward twice. Not counted: norms' and
activations' own arithmetic, towers, draft blocks, the optimizer. 6 x active parameters is the usual rule and stands beside it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from .errors import UserError
from .figure import Number, least, step, total, where
from .layers import Block, CompressedAttention, LatentAttention, Part, count
from .model import ModelSpec

RECOMPUTED = ("none", "selective", "full")
"""What is computed again in the backward pass: nothing, the mixing of tokens, every block."""


class TokenFlops(NamedTuple):
    """Forward FLOPs for one token of a sequence, on average over it."""

    blocks: Number
    """Of the blocks' matrices."""
    head: Number
    """Of the projection to the vocabulary."""
    mixing: Number
    """Of attention over what the token sees, and of recurrences."""
    rule: Number
    """6 x active parameters: forward and backward by the usual rule."""

    @property
    def model(self) -> Number:
        """Forward and backward without recomputation: what MFU counts."""
        return model_flops(self.blocks, self.head, self.mixing)

    def spent(self, recompute: str = "none") -> Number:
        """Forward and backward with what is computed twice: what the hardware does."""
        if recompute not in RECOMPUTED:
            raise UserError(f"“{recompute}” is not a kind of checkpointing.", ", ".join(RECOMPUTED))
        again = self.mixing if recompute == "selective" else self.blocks + self.mixing if recompute == "full" else 0
        return self.model + again


@step("model_flops")
def model_flops(blocks: Number, head: Number, mixing: Number) -> Number:
    """Forward once, and backward twice as much: for what flows in and for the weights."""
    return 3 * (blocks + head + mixing)


@step("seen_tokens")
def seen_tokens(sequence: Number, window: Number) -> Number:
    """Tokens that a causal token sees, itself too, on average over a sequence; a window of 0 sees everything before it."""
    edge = least(where(window, window, sequence), sequence)
    return (edge * (edge + 1) / 2 + (sequence - edge) * edge) / sequence


@step("chunk_tokens")
def chunk_tokens(sequence: Number, chunk: Number) -> Number:
    """The same where every chunk of the sequence sees only itself."""
    rest = sequence % chunk
    return ((sequence // chunk) * chunk * (chunk + 1) / 2 + rest * (rest + 1) / 2) / sequence


def token_flops(model: ModelSpec, sequence: Number) -> TokenFlops:
    """Forward FLOPs for one token of sequences of this length."""
    hidden, head = model.hidden, model.head
    blocks = total(group.layers * 2 * (group.block.parameters(hidden) - group.block.idle_parameters(hidden)) for group in model.groups)
    mixing = total(group.layers * _mixing(group.block, sequence, model.causal) for group in model.groups)
    around = 2 * (head.vocabulary * (head.width or hidden) + count(iter(model.embedding.extras)))
    return TokenFlops(blocks, around, mixing, 6 * model.active_parameters)


def _mixing(block: Block, sequence: Number, causal: bool) -> Number:
    return total(_part(part, sequence, causal) for part in block.mixers)


def _part(part: Part, sequence: Number, causal: bool) -> Number:
    indexer: Any = getattr(part, "indexer", None)
    window = getattr(part, "window", 0)
    if getattr(part, "cross", False):
        return 0  # text alone has nothing to attend to there
    if isinstance(part, CompressedAttention):
        return part.mixing_flops(_seen(sequence, window, False, causal) + _pooled(part, sequence))
    if isinstance(part, LatentAttention):
        # Training multiplies keys and values out; absorbing them pays only for one token at a time.
        part = replace(part, absorbed=False)
    if indexer is None:
        return part.mixing_flops(_seen(sequence, window, getattr(part, "chunked", False), causal))
    whole = _seen(sequence, 0, False, causal)
    picked = getattr(indexer, "top_tokens", 0)
    # The indexer itself scores every token: that is what it costs to look at few.
    return part.mixing_flops(_seen(sequence, picked, False, causal)) + 2 * indexer.heads * indexer.dim * whole


def _seen(sequence: Number, window: int, chunked: bool, causal: bool) -> Number:
    if not causal:
        return least(sequence, window) if window else sequence
    return chunk_tokens(sequence, window) if chunked and window else seen_tokens(sequence, window)


def _pooled(part: CompressedAttention, sequence: Number) -> Number:
    """Pooled entries that a token attends to on average."""
    if not part.ratio:
        return 0
    return seen_tokens(sequence, part.top_tokens * part.ratio) / part.ratio
