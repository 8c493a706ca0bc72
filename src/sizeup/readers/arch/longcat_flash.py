"""LongCat-Flash: each layer is two latent-attention and two dense halves, with experts (some of them empty) across."""

from __future__ import annotations

from dataclasses import replace

from sizeup.layers import Block, Mlp, Moe
from sizeup.readers import decoder
from sizeup.readers.body import Body, norms
from sizeup.readers.dimensions import dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields
from sizeup.readers.mixers import latent_attention


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    mixer, dense = latent_attention(fields, family, sizes, 0), Mlp(fields.integer("ffn_hidden_size"))
    count, empty = fields.integer("n_routed_experts"), fields.integer("zero_expert_num", default=0, least=0)
    used = min(fields.integer("moe_topk", most=count + empty), count)
    moe = Moe(count, used, fields.integer("expert_ffn_hidden_size"), router_bias=True, dense=dense, empty=empty)
    own = norms(family.norms, sizes.hidden)
    pair = [Block((mixer,), moe, own), Block((mixer,), dense, own)]
    warnings = ("Tokens that choose empty experts use fewer weights than are counted as active.",) if empty else ()
    return replace(decoder.around(fields, family, sizes, pair * sizes.layers), warnings=warnings)
