"""Mamba-2: state space duality blocks and nothing else."""

from __future__ import annotations

from sizeup.layers import Block, Embedding, Head, Mamba2
from sizeup.readers.body import Body, norm, norms
from sizeup.readers.dimensions import HIDDEN, LAYERS, vocabulary
from sizeup.readers.families import Family
from sizeup.readers.fields import MOST_LAYERS, Fields


def read(fields: Fields, family: Family) -> Body:
    hidden, layers, words = fields.integer(*HIDDEN), fields.integer(*LAYERS, most=MOST_LAYERS), vocabulary(fields)
    mixer = Mamba2(
        hidden * fields.integer("expand", default=2),
        fields.integer("num_heads"),
        fields.integer("n_groups", default=1),
        fields.integer("state_size"),
        fields.integer("conv_kernel", default=4),
        fields.flag("use_conv_bias", default=True),
        fields.flag("use_bias"),
    )
    block = Block((mixer,), None, norms(("attn_norm",), hidden))
    head = Head(words, fields.flag("tie_word_embeddings", default=family.tied), norm=norm("output_norm", hidden))
    return Body(hidden, words, Embedding(words), head, [block] * layers)
