"""DistilBERT: BERT without token types and pooler, under its own field names."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Embedding, Head, Mlp
from sizeup.readers.body import Body, Shapes, norm, norms
from sizeup.readers.decoder import class_name
from sizeup.readers.dimensions import dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    hidden = sizes.hidden
    attention = Attention(sizes.heads, sizes.heads, sizes.head_dim, sizes.head_dim, caches=False, bias=True, output_bias=True)
    mlp = Mlp(fields.integer("hidden_dim"), gated=False, bias=True)
    block = Block((attention,), mlp, norms(("attn_output_norm", "layer_output_norm"), hidden, "layer"))
    positions = fields.integer("max_position_embeddings")
    embedding = Embedding(sizes.vocabulary, positions=positions, extras=norm("token_embd_norm", hidden, "layer"))
    dense: Shapes = ()
    if "MaskedLM" in class_name(fields, ""):
        own = (("cls.weight", (hidden, hidden)), ("cls.bias", (hidden,)))
        dense = (*own, *norm("cls.norm", hidden, "layer"), ("cls.output.bias", (sizes.vocabulary,)))
    return Body(hidden, sizes.vocabulary, embedding, Head(sizes.vocabulary, True, norm=dense), [block] * sizes.layers)
