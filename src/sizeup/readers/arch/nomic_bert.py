"""Nomic's BERT: rotary positions, fused projections, gated parts; version 2 has experts in every other block."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Embedding, Head, Mlp, Moe, Part
from sizeup.readers.body import Body, Shapes, norm, norms
from sizeup.readers.dimensions import FEED, dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    hidden, width = sizes.hidden, fields.integer(*FEED, default=4 * sizes.hidden)
    every = fields.integer("moe_every_n_layers", default=0, least=0)
    bias = fields.flag("qkv_proj_bias", default=every > 0)
    attention = Attention(sizes.heads, sizes.heads, sizes.head_dim, sizes.head_dim, caches=False, bias=bias, output_bias=bias, fused=True)
    gated = fields.text("activation_function", "hidden_act", default="swiglu") in ("swiglu", "silu")
    dense: Part = Mlp(width, gated=gated, bias=fields.flag("mlp_fc1_bias", default=every > 0))
    routed: Part = dense
    if every:
        count = fields.integer("num_experts")
        routed = Moe(count, fields.integer("moe_top_k", default=2, most=count), width, gated=False)
    own = norms(("attn_output_norm", "layer_output_norm"), hidden, "layer")
    blocks = [Block((attention,), routed if every and layer % every == 1 else dense, own) for layer in range(sizes.layers)]
    types = fields.integer("type_vocab_size", default=2, least=0)
    kinds: Shapes = (("token_types.weight", (hidden, types)),) if types else ()
    embedding = Embedding(sizes.vocabulary, extras=(*kinds, *norm("token_embd_norm", hidden, "layer")))
    return Body(hidden, sizes.vocabulary, embedding, Head(sizes.vocabulary, True), blocks, gguf="nomic-bert-moe" if every else family.gguf)
