"""Mamba and Falcon-Mamba: selective state space blocks and nothing else."""

from __future__ import annotations

from sizeup.layers import Block, Embedding, Head, Mamba1
from sizeup.readers.body import Body, norm, norms
from sizeup.readers.dimensions import HIDDEN, LAYERS, vocabulary
from sizeup.readers.families import Family
from sizeup.readers.fields import MOST_LAYERS, Fields


def read(fields: Fields, family: Family) -> Body:
    hidden, layers, words = fields.integer(*HIDDEN), fields.integer(*LAYERS, most=MOST_LAYERS), vocabulary(fields)
    mixer = Mamba1(
        fields.integer("intermediate_size", default=None) or hidden * fields.integer("expand", default=2),
        fields.integer("state_size", default=16),
        fields.integer("conv_kernel", default=4),
        -(-hidden // 16) if fields.raw("time_step_rank") == "auto" else fields.integer("time_step_rank", default=-(-hidden // 16)),
        fields.flag("use_conv_bias", default=True),
        fields.flag("use_bias"),
    )
    block = Block((mixer,), None, norms(("attn_norm",), hidden))
    head = Head(words, fields.flag("tie_word_embeddings", default=family.tied), norm=norm("output_norm", hidden))
    return Body(hidden, words, Embedding(words), head, [block] * layers)
