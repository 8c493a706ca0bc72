"""DBRX: sizes of attention and experts lie in nested sections; norms have a weight alone."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Embedding, Head, Moe
from sizeup.readers.body import Body, norm, norms
from sizeup.readers.dimensions import dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    inside, feed = fields.section("attn_config"), fields.section("ffn_config")
    if inside is None or feed is None:
        raise fields.missing(("attn_config" if inside is None else "ffn_config",))
    attention = Attention(sizes.heads, inside.integer("kv_n_heads", default=1), sizes.head_dim, sizes.head_dim, fused=True)
    experts = feed.integer("moe_num_experts")
    moe = Moe(experts, feed.integer("moe_top_k", most=experts), feed.integer("ffn_hidden_size"))
    block = Block((attention,), moe, norms(("attn_norm", "attn_output_norm"), sizes.hidden))
    head = Head(sizes.vocabulary, fields.flag("tie_word_embeddings"), norm=norm("output_norm", sizes.hidden))
    return Body(sizes.hidden, sizes.vocabulary, Embedding(sizes.vocabulary), head, [block] * sizes.layers)
