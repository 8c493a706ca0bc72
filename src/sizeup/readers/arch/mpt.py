"""MPT: ALiBi positions, nothing biased, norms with a weight alone."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Embedding, Head, Mlp
from sizeup.readers.body import Body, norm, norms
from sizeup.readers.dimensions import dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    inside = fields.section("attn_config") or Fields({}, fields.model)
    bias = not fields.flag("no_bias", default=True)
    kind = "layer" if bias else "rms"
    kv_heads = inside.integer("kv_n_heads", default=sizes.heads)
    attention = Attention(sizes.heads, kv_heads, sizes.head_dim, sizes.head_dim, bias=bias, output_bias=bias, fused=True)
    mlp = Mlp(fields.integer("expansion_ratio", default=4) * sizes.hidden, gated=False, bias=bias)
    names = ["attn_norm", "ffn_norm"]
    extra = ["attn_q_norm", "attn_k_norm"] if inside.flag("qk_ln") else []
    block = Block((attention,), mlp, norms([*names, *extra], sizes.hidden, kind))
    positions = 0 if inside.flag("alibi", default=True) or inside.flag("rope") else fields.integer("max_seq_len")
    head = Head(sizes.vocabulary, fields.flag("tie_word_embeddings", default=True), norm=norm("output_norm", sizes.hidden, kind))
    return Body(sizes.hidden, sizes.vocabulary, Embedding(sizes.vocabulary, positions=positions), head, [block] * sizes.layers)
