"""Ling 3 (BailingMoeV3): Kimi delta attention with full-rank maps, a gated latent attention layer in every few, experts."""

from __future__ import annotations

from dataclasses import replace

from sizeup.layers import Block, KimiDelta, Part
from sizeup.readers import decoder, feeds
from sizeup.readers.body import Body, norms
from sizeup.readers.dimensions import dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields
from sizeup.readers.mixers import latent_attention
from sizeup.readers.schedule import layer_kinds, sparse_layers


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    if fields.has("layer_types"):
        kinds = layer_kinds(fields, family, sizes.layers)
    else:
        every = fields.integer("layer_group_size")
        kinds = ["linear" if (layer + 1) % every else "full" for layer in range(sizes.layers)]
    delta: Part = KimiDelta(
        fields.integer("linear_num_heads", default=sizes.heads),
        fields.integer("linear_head_dim", "head_dim"),
        fields.integer("linear_conv_kernel_dim", "short_conv_kernel_size", default=4),
        full_rank_gate=True,
        full_rank_decay=True,
    )
    latent: Part = replace(latent_attention(fields, family, sizes, 0), output_gate=True, gate_width=sizes.heads)
    dense, sparse = feeds.dense(fields, family, 1, 0, True), feeds.sparse(fields, family)
    own = norms(family.norms, sizes.hidden)
    blocks = [
        Block((delta if kind == "linear" else latent,), sparse if routed else dense, own)
        for kind, routed in zip(kinds, sparse_layers(fields, sizes.layers), strict=True)
    ]
    steps = fields.integer(*decoder.DRAFTS, default=0, least=0, most=64)
    return decoder.around(fields, family, sizes, blocks, [Block((latent,), sparse, decoder.draft_norms(own, sizes.hidden))] * steps)
