"""Falcon: three generations that differ in key/value heads and in norms per block."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Embedding, Head, Mlp
from sizeup.readers.body import Body, norm, norms
from sizeup.readers.dimensions import FEED, dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    new, parallel = fields.flag("new_decoder_architecture"), fields.flag("parallel_attn", default=True)
    if new:
        kv_heads = fields.integer("num_kv_heads", "n_head_kv", "num_key_value_heads", default=sizes.heads)
    else:
        kv_heads = 1 if fields.flag("multi_query", default=True) else sizes.heads
    bias = fields.flag("bias")
    attention = Attention(sizes.heads, kv_heads, sizes.head_dim, sizes.head_dim, bias=bias, output_bias=bias, fused=True)
    mlp = Mlp(fields.integer(*FEED, default=4 * sizes.hidden), gated=False, bias=bias)
    two = fields.integer("num_ln_in_parallel_attn", default=2) == 2 if new else not parallel
    names = ("attn_norm_2", "attn_norm") if two and new else ("attn_norm", "ffn_norm") if two else ("attn_norm",)
    block = Block((attention,), mlp, norms(names, sizes.hidden, "layer"), parallel)
    head = Head(sizes.vocabulary, fields.flag("tie_word_embeddings", default=True), norm=norm("output_norm", sizes.hidden, "layer"))
    return Body(sizes.hidden, sizes.vocabulary, Embedding(sizes.vocabulary), head, [block] * sizes.layers)
