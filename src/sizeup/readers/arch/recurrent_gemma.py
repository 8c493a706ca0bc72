"""RecurrentGemma: gated linear recurrences with a local attention layer in every three."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Embedding, GatedLru, Head, Mlp, Part
from sizeup.readers.body import Body, norm, norms
from sizeup.readers.dimensions import dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    hidden = sizes.hidden
    recurrent: Part = GatedLru(hidden, fields.integer("lru_width", default=hidden), sizes.heads, fields.integer("conv1d_width", default=4))
    local: Part = Attention(
        sizes.heads,
        sizes.kv_heads,
        sizes.head_dim,
        sizes.head_dim,
        window=fields.integer("attention_window_size", default=2048),
        bias=fields.flag("attention_bias"),
        output_bias=True,
    )
    feed = Mlp(fields.integer("intermediate_size") // 2, bias=True)
    own = norms(("attn_norm", "ffn_norm"), hidden)
    made = {"recurrent": Block((recurrent,), feed, own), "attention": Block((local,), feed, own)}
    types = fields.texts("block_types", "_block_types") or ["recurrent", "recurrent", "attention"]
    if not set(types) <= set(made):
        raise fields.broken(("block_types", "_block_types"), "with a kind of block that has no rule here")
    head = Head(sizes.vocabulary, fields.flag("tie_word_embeddings", default=True), norm=norm("output_norm", hidden))
    blocks = [made[types[layer % len(types)]] for layer in range(sizes.layers)]
    return Body(hidden, sizes.vocabulary, Embedding(sizes.vocabulary), head, blocks)
