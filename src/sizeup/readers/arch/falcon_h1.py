"""Falcon-H1: attention and Mamba-2 side by side in every block."""

from __future__ import annotations

from dataclasses import replace

from sizeup.layers import Block
from sizeup.readers import decoder, feeds, mixers
from sizeup.readers.body import Body, norms
from sizeup.readers.dimensions import dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    both = (
        mixers.attention(fields, family, sizes),
        replace(mixers.mamba2(fields, sizes.hidden, gated_norm=fields.flag("mamba_rms_norm")), output_bias=fields.flag("projectors_bias")),
    )
    block = Block(both, feeds.dense(fields, family, 1, 0, False), norms(family.norms, sizes.hidden))
    return decoder.around(fields, family, sizes, [block] * sizes.layers)
