"""Step 3.5 and 3.7: windowed layers have other heads than full ones, every head has its own output gate."""

from __future__ import annotations

from dataclasses import replace

from sizeup.layers import Attention, Block
from sizeup.readers import decoder, feeds
from sizeup.readers.body import Body, norms
from sizeup.readers.dimensions import KV_HEADS, Dimensions, dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields
from sizeup.readers.mixers import attention
from sizeup.readers.schedule import layer_kinds, sparse_layers


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    steps = fields.integer(*decoder.DRAFTS, default=0, least=0, most=64)
    kinds, routed = layer_kinds(fields, family, sizes.layers), sparse_layers(fields, sizes.layers)
    narrow = windowed(fields, sizes)
    made = {
        kind: attention(fields, family, narrow if kind == "sliding" else sizes, kind) for kind in dict.fromkeys((*kinds, "full", "sliding"))
    }
    dense, sparse = feeds.dense(fields, family, sizes.layers, 0, True), feeds.sparse(fields, family)
    own = norms(family.norms, sizes.hidden)
    blocks = [Block((made[kind],), sparse if r else dense, own) for kind, r in zip(kinds, routed, strict=True)]
    listed = fields.texts("layer_types") or []
    local: Attention = made["sliding" if "sliding_attention" in listed[sizes.layers :] or steps else "full"]
    return decoder.around(fields, family, sizes, blocks, [Block((local,), dense, decoder.draft_norms(own, sizes.hidden))] * steps)


def windowed(fields: Fields, sizes: Dimensions) -> Dimensions:
    """Sizes of the windowed layers: a section of their own in Step's configs, one field in transformers."""
    other = fields.section("attention_other_setting")
    if other is None:
        return replace(sizes, heads=fields.integer("num_sliding_attention_heads", default=sizes.heads))
    heads = other.integer("num_attention_heads", default=sizes.heads)
    return replace(
        sizes,
        heads=heads,
        kv_heads=other.integer(*KV_HEADS, default=sizes.kv_heads, most=heads),
        head_dim=other.integer("head_dim", default=sizes.head_dim),
    )
