"""OPT: learned positions with two spare rows, and (350M) an embedding narrower than the residual."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Embedding, Head, Mlp
from sizeup.readers.body import Body, Shapes, norm, norms
from sizeup.readers.dimensions import dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields

SPARE_POSITIONS = 2
"""Rows before position zero: the padding token's offset."""


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    bias = fields.flag("enable_bias", default=True)
    kind = "layer" if fields.flag("layer_norm_elementwise_affine", default=True) else "none"
    attention = Attention(sizes.heads, sizes.heads, sizes.head_dim, sizes.head_dim, bias=bias, output_bias=bias)
    mlp = Mlp(fields.integer("ffn_dim"), gated=False, bias=bias)
    block = Block((attention,), mlp, norms(("attn_norm", "ffn_norm"), sizes.hidden, kind))
    width = fields.integer("word_embed_proj_dim", default=sizes.hidden)
    other = width != sizes.hidden
    inward: Shapes = (("embd_proj_in.weight", (width, sizes.hidden)),) if other else ()
    outward: Shapes = (("embd_proj_out.weight", (sizes.hidden, width)),) if other else ()
    last = fields.flag("do_layer_norm_before", default=True) and not fields.flag("_remove_final_layer_norm")
    final = norm("output_norm", sizes.hidden, kind) if last else ()
    positions = fields.integer("max_position_embeddings") + SPARE_POSITIONS
    embedding = Embedding(sizes.vocabulary, width if other else 0, positions, inward)
    head = Head(sizes.vocabulary, fields.flag("tie_word_embeddings", default=True), norm=(*final, *outward), width=width if other else 0)
    return Body(sizes.hidden, sizes.vocabulary, embedding, head, [block] * sizes.layers)
