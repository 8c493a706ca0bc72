"""MiniMax-Text-01 and M1: lightning attention with a softmax layer in every eight, experts everywhere."""

from __future__ import annotations

from sizeup.layers import Block, LightningAttention, Part
from sizeup.readers import decoder, feeds
from sizeup.readers.body import Body, norms
from sizeup.readers.dimensions import dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields
from sizeup.readers.mixers import attention
from sizeup.readers.schedule import layer_kinds


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    flags = fields.integers("attn_type_list", length=sizes.layers, most=1)
    kinds = ["full" if flag else "linear" for flag in flags] if flags is not None else layer_kinds(fields, family, sizes.layers)
    linear: Part = LightningAttention(sizes.heads, sizes.head_dim)
    softmax: Part = attention(fields, family, sizes)
    feed = feeds.sparse(fields, family)
    own = norms(family.norms, sizes.hidden)
    blocks = [Block((linear if kind == "linear" else softmax,), feed, own) for kind in kinds]
    return decoder.around(fields, family, sizes, blocks)
