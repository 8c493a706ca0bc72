"""Working memory of a forward pass: activations of one layer at its widest moment, masks, scores, logits.

The rules follow the modules of a Llama-like decoder line by line and were held against live storages of real passes; blocks of
another make get a wider band, never a rule of their own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...facts import data_json
from ...figure import Number, least, most, plain, step, total
from ...layers import Attention, Block, LatentAttention, Mlp, Moe
from ...model import ModelSpec
from .cache import Length, growth_bytes
from .settings import Settings


class Peak(NamedTuple):
    """Bytes at the widest moment, and how far they may be off."""

    bytes: Number
    within: float


def working(model: ModelSpec, settings: Settings, long: Length, form: Any, blocks: tuple[Block, ...]) -> Peak:
    """The widest moment of the blocks on one device: while the prompt is read, or while a token is appended."""
    bands, each = data_json("transformers.json")["compute"], form.row_bytes(1)
    found: list[Number] = [0]
    within = float(bands["dense"])
    for block in blocks:
        found += [rows_bytes(row, settings.sequences, long.prompt, each) for row in _wide(block, model.hidden, settings, long)]
        for part in block.mixers:
            if isinstance(part, Attention | LatentAttention):
                if settings.attention == "eager":
                    beside = 3 * model.hidden + part.heads * (2 * _key_width(part) + part.value_dim)
                    scores = scores_bytes(part.heads, settings.sequences, long.prompt, each)
                    found.append(scores + rows_bytes(beside, settings.sequences, long.prompt, each))
                if not long.static and not plain(getattr(part, "window", 0)):
                    found.append(settings.sequences * growth_bytes(part, long.tokens, form))
        if isinstance(block.feed, Moe):
            within = max(within, float(bands["experts"]))
        if not all(isinstance(part, Attention) for part in block.mixers) or block.parallel:
            within = max(within, float(bands["other"]))
    return Peak(most(*found) + mask_bytes(*_masks(settings, long, blocks), each), within)


def _key_width(part: Attention | LatentAttention) -> Number:
    return part.key_dim if isinstance(part, Attention) else part.nope_dim + part.rope_dim


def _wide(block: Block, hidden: Number, settings: Settings, long: Length) -> list[Number]:
    """Values a token takes at moments that may be the widest: residual copies and what the part makes of them."""
    found: list[Number] = [7 * hidden]  # a norm in F32 beside its input, the residual and the embedding
    for part in block.mixers:
        if isinstance(part, Attention):
            queries, keys = part.heads * part.key_dim, part.kv_heads * part.key_dim
            values = part.kv_heads * part.value_dim
            found += [3 * hidden + 4 * queries + keys + values, 3 * hidden + 2 * queries + 4 * keys + values]
            if part.norm:
                found.append(4 * hidden + 5 * queries)
            if plain(part.window):
                found.append(3 * hidden + queries + part.heads * (part.key_dim + part.value_dim))
        elif isinstance(part, LatentAttention):
            wide = part.heads * (part.nope_dim + part.rope_dim)
            found.append(3 * hidden + 4 * wide + part.heads * (part.nope_dim + part.value_dim))
        else:
            found.append(4 * hidden + 6 * part.channels)
    feed = block.feed
    if isinstance(feed, Mlp):
        found.append(4 * hidden + (3 if feed.gated else 2) * feed.width)
    elif isinstance(feed, Moe):
        inside = feed.latent or hidden
        found.append(4 * hidden + feed.used * (3 * inside + 7 * feed.width // 2) + 3 * feed.shared_width)
    return found


@step("transformers_rows")
def rows_bytes(values: Number, sequences: Number, prompt: Number, each: Number) -> Number:
    """Bytes of so many values for each token of the prompt, in every row of the batch."""
    return values * sequences * prompt * each


@step("transformers_scores")
def scores_bytes(heads: Number, sequences: Number, prompt: Number, each: Number) -> Number:
    """Scores of eager attention: masked, as F32, and their softmax in F32, for each head and pair of tokens."""
    return heads * sequences * prompt * prompt * (each + 8)


def _masks(settings: Settings, long: Length, blocks: tuple[Block, ...]) -> tuple[Number, Number, Number, int]:
    parts = [part for block in blocks for part in block.mixers if isinstance(part, Attention)]
    windows, eager = {plain(part.window) for part in parts}, settings.attention == "eager"
    if eager or long.static:
        return settings.sequences, long.prompt, len(windows), int(eager)
    # SDPA needs no mask of its own where everything before is seen, and a short prompt is all within a window.
    kinds = total([least(most(long.prompt - window, 0), 1) for window in sorted(windows) if window])
    return settings.sequences, long.prompt, kinds, 0


@step("transformers_masks")
def mask_bytes(sequences: Number, prompt: Number, kinds: Number, eager: Number, each: Number) -> Number:
    """A mask over every pair of tokens for each kind of layer: one byte a pair, or a number of the model's type under eager attention."""
    return kinds * sequences * prompt * prompt * (1 + eager * (each - 1))


@step("transformers_logits")
def logits_bytes(vocabulary: Number, sequences: Number, rows: Number, each: Number) -> Number:
    """Logits as the head makes them, and the last row of each sequence once more in F32, as sampling takes it."""
    return vocabulary * sequences * (rows * each + 4)
