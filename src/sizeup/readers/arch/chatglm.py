"""ChatGLM 2 to 4 as THUDM's own code stores it: one query/key/value matrix, one gate/up matrix, a stored rotary buffer."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Embedding, Head, Mlp
from sizeup.readers.body import Body, norm, norms
from sizeup.readers.dimensions import FEED, dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    kind = "rms" if fields.flag("rmsnorm", default=True) else "layer"
    bias = fields.flag("add_bias_linear")
    groups = fields.integer("multi_query_group_num", default=1) if fields.flag("multi_query_attention") else sizes.heads
    attention = Attention(
        sizes.heads, groups, sizes.head_dim, sizes.head_dim, bias=bias or fields.flag("add_qkv_bias"), output_bias=bias, fused=True
    )
    mlp = Mlp(fields.integer(*FEED), bias=bias, fused=True)
    block = Block((attention,), mlp, norms(("attn_norm", "ffn_norm"), sizes.hidden, kind))
    rotary = (("rotary_pos_emb.inv_freq", (max(sizes.head_dim // 4, 1),)),)
    final = norm("output_norm", sizes.hidden, kind) if fields.flag("post_layer_norm", default=True) else ()
    head = Head(sizes.vocabulary, fields.flag("tie_word_embeddings"), norm=final)
    return Body(sizes.hidden, sizes.vocabulary, Embedding(sizes.vocabulary, extras=rotary), head, [block] * sizes.layers)
