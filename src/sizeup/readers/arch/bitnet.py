"""BitNet b1.58: Llama's blocks with a norm before each output projection."""

from __future__ import annotations

from sizeup.layers import Block, Extras
from sizeup.readers import decoder
from sizeup.readers.body import Body, norm
from sizeup.readers.dimensions import FEED, dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    inner = (*norm("attn_sub_norm", sizes.hidden), *norm("ffn_sub_norm", fields.integer(*FEED)))
    blocks = [Block(b.mixers, b.feed, Extras((*b.norms.shapes, *inner))) for b in decoder.blocks(fields, family, sizes)]
    return decoder.around(fields, family, sizes, blocks)
