"""Working memory of mlx-lm: activations of a piece of prompt, the scores of heads that no fused kernel reads, logits.

MLX computes lazily and fuses as it likes, so the rule is an upper estimate with a wide band; it was never held against a Mac.
"""

from __future__ import annotations

from ...facts import data_json
from ...figure import Number, least, most, plain, step
from ...layers import Attention, LatentAttention, Mlp, Moe
from ...model import ModelSpec
from .cache import Length


def working(model: ModelSpec, sequences: Number, long: Length, each: Number) -> Number:
    """Bytes while the widest block reads a piece of the prompt."""
    fused, found = data_json("mlx.json")["fused_heads"]["dims"], [7 * model.hidden]
    scores: Number = 0
    piece = most(least(long.prefilled, long.at_once), 1)
    for group in model.groups:
        feed = group.block.feed
        if isinstance(feed, Mlp):
            found.append(4 * model.hidden + (3 if feed.gated else 2) * feed.width)
        elif isinstance(feed, Moe):
            found.append(4 * model.hidden + feed.used * (2 * (feed.latent or model.hidden) + 3 * feed.width) + 3 * feed.shared_width)
        for part in group.block.mixers:
            if isinstance(part, Attention):
                found.append(3 * model.hidden + 3 * part.heads * part.key_dim + 2 * part.kv_heads * (part.key_dim + part.value_dim))
                if plain(part.key_dim) not in fused:
                    scores = most(scores, scores_bytes(part.heads, sequences, piece, long.tokens, each))
            elif isinstance(part, LatentAttention):
                found.append(3 * model.hidden + part.heads * (2 * part.nope_dim + 2 * part.rope_dim + part.value_dim))
                # The rotary part of MLA's scores is a mask of its own.
                scores = most(scores, scores_bytes(part.heads, sequences, piece, long.tokens, each))
            elif plain(part.channels):
                found.append(4 * model.hidden + 4 * part.channels)
    return rows_bytes(most(*found), sequences, piece, each) + scores


@step("mlx_rows")
def rows_bytes(values: Number, sequences: Number, piece: Number, each: Number) -> Number:
    """Bytes of so many values for each token that is read at once."""
    return values * sequences * piece * each


@step("mlx_scores")
def scores_bytes(heads: Number, sequences: Number, piece: Number, tokens: Number, each: Number) -> Number:
    """Scores of every head between the tokens read at once and all that are cached."""
    return heads * sequences * piece * tokens * each


@step("mlx_logits")
def logits_bytes(vocabulary: Number, sequences: Number, each: Number) -> Number:
    """Logits of the last token of each sequence and their logarithms of probability; those of a prompt are never computed."""
    return 2 * vocabulary * sequences * each
