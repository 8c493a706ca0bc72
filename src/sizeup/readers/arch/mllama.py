"""Llama 3.2 Vision's language model: some layers attend to the picture's states instead of to the text."""

from __future__ import annotations

from dataclasses import replace

from sizeup.layers import Block, Embedding, Extras, Head
from sizeup.readers.body import Body, norm, norms
from sizeup.readers.dimensions import dimensions
from sizeup.readers.families import Family
from sizeup.readers.feeds import dense
from sizeup.readers.fields import Fields
from sizeup.readers.mixers import attention

PICTURE_TOKENS = 8
"""Rows of the embedding beyond the vocabulary: special tokens for pictures."""
GATES = (("cross_attn_attn_gate", (1,)), ("cross_attn_mlp_gate", (1,)))


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    feed, own = dense(fields, family, sizes.layers, 0, False), norms(family.norms, sizes.hidden)
    mixer = attention(fields, family, sizes)
    # Cross layers keep the picture's keys and values, not the text's: they cost nothing per token.
    across = replace(mixer, cross=True, caches=False, norm="head")
    plain, crossing = Block((mixer,), feed, own), Block((across,), feed, Extras((*own.shapes, *GATES)))
    listed = fields.integers("cross_attention_layers")
    if listed is None:
        raise fields.missing(("cross_attention_layers",))
    places = set(listed)
    blocks = [crossing if layer in places else plain for layer in range(sizes.layers)]
    embedding = Embedding(sizes.vocabulary + PICTURE_TOKENS)
    head = Head(sizes.vocabulary, fields.flag("tie_word_embeddings"), norm=norm("output_norm", sizes.hidden))
    return Body(sizes.hidden, sizes.vocabulary, embedding, head, blocks)
