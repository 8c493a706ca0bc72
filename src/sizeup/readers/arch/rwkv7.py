"""RWKV-7: time mixing with a matrix-valued state, channel mixing, no attention at all."""

from __future__ import annotations

from sizeup.layers import Block, Embedding, Extras, Head, Rwkv7
from sizeup.readers.body import Body, norm, norms
from sizeup.readers.dimensions import FEED, HIDDEN, LAYERS, vocabulary
from sizeup.readers.families import Family
from sizeup.readers.fields import MOST_LAYERS, Fields


def read(fields: Fields, family: Family) -> Body:
    hidden, layers, words = fields.integer(*HIDDEN), fields.integer(*LAYERS, most=MOST_LAYERS), vocabulary(fields)
    width = fields.integer(*FEED, default=4 * hidden)
    size = fields.integer("head_dim", "head_size", default=64)
    # The first layer keeps the value residual's matrices too, unused.
    mixer = Rwkv7(
        hidden,
        size,
        2,
        fields.integer("decay_low_rank_dim", "lora_rank_decay", default=rank(hidden, 0.5, 1.8)),
        fields.integer("a_low_rank_dim", "lora_rank_iclr", default=rank(hidden, 0.5, 1.8)),
        fields.integer("v_low_rank_dim", "lora_rank_value_residual_mix", default=rank(hidden, 0.5, 1.3)),
        fields.integer("gate_low_rank_dim", "lora_rank_gate", default=rank(hidden, 0.8, 0.6)),
    )
    channel = (
        ("channel_mix_lerp_k.weight", (hidden,)),
        ("channel_mix_key.weight", (hidden, width)),
        ("channel_mix_value.weight", (width, hidden)),
    )
    own = Extras((*norms(("attn_norm", "attn_norm_2"), hidden, "layer").shapes, *channel))
    head = Head(words, fields.flag("tie_word_embeddings"), norm=norm("output_norm", hidden, "layer"))
    embedding = Embedding(words, extras=norm("token_embd_norm", hidden, "layer"))
    return Body(hidden, words, embedding, head, [Block((mixer,), None, own)] * layers)


def rank(hidden: int, exponent: float, multiplier: float) -> int:
    """Rank of a low-rank map when the config leaves it to the model's own rule."""
    grown: float = hidden**exponent
    return max(1, round(grown * multiplier / 32)) * 32
