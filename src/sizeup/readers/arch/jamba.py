"""Jamba: Mamba blocks with an attention block every few, and experts in every other feed-forward part."""

from __future__ import annotations

from sizeup.layers import Block, Mamba1, Part
from sizeup.readers import decoder, feeds
from sizeup.readers.body import Body, norms
from sizeup.readers.dimensions import dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields
from sizeup.readers.mixers import attention


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    hidden = sizes.hidden
    rank = fields.raw("mamba_dt_rank")
    mamba: Part = Mamba1(
        fields.integer("mamba_expand", default=2) * hidden,
        fields.integer("mamba_d_state", default=16),
        fields.integer("mamba_d_conv", default=4),
        -(-hidden // 16) if rank == "auto" else fields.integer("mamba_dt_rank", default=-(-hidden // 16)),
        fields.flag("mamba_conv_bias", default=True),
        fields.flag("mamba_proj_bias"),
        norms=True,
    )
    softmax: Part = attention(fields, family, sizes)
    plain = feeds.dense(fields, family, 1, 0, False)
    routed = feeds.sparse(fields, family) if feeds.experts(fields) > 1 else plain
    own = norms(family.norms, hidden)

    def at(layer: int, name: str, period: int, offset: int) -> bool:
        return layer % fields.integer(f"{name}_layer_period", default=period) == fields.integer(
            f"{name}_layer_offset", default=offset, least=0
        )

    blocks = [
        Block((softmax if at(layer, "attn", 8, 4) else mamba,), routed if at(layer, "expert", 2, 1) else plain, own)
        for layer in range(sizes.layers)
    ]
    return decoder.around(fields, family, sizes, blocks)
