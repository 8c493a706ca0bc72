"""MiMo-V2-Flash: windowed and full layers have different heads; values are narrower than keys."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Extras, Mlp, Part
from sizeup.readers import decoder, feeds
from sizeup.readers.body import Body, norm, norms
from sizeup.readers.dimensions import FEED, Dimensions, dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields
from sizeup.readers.schedule import sparse_layers


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    listed = fields.integers("hybrid_layer_pattern", length=sizes.layers, most=1)
    kinds = fields.texts("layer_types", length=sizes.layers)
    if listed is None and kinds is None:
        raise fields.missing(("hybrid_layer_pattern",))
    windowed = listed if listed is not None else [int(kind == "sliding_attention") for kind in kinds or ()]
    routed = sparse_layers(fields, sizes.layers)
    full, local = attention(fields, sizes, False), attention(fields, sizes, True)
    moe, dense = feeds.sparse(fields, family), Mlp(fields.integer(*FEED))
    own = norms(family.norms, sizes.hidden)
    blocks = [Block((local if w else full,), moe if r else dense, own) for w, r in zip(windowed, routed, strict=True)]
    return decoder.around(fields, family, sizes, blocks, drafts(fields, sizes, local, dense))


def attention(fields: Fields, sizes: Dimensions, windowed: bool) -> Attention:
    bias = fields.flag("attention_bias")
    if not windowed:
        sinks, width = fields.flag("add_full_attention_sink_bias"), fields.integer("v_head_dim", default=sizes.head_dim)
        return Attention(sizes.heads, sizes.kv_heads, sizes.head_dim, width, bias=bias, sinks=sinks)
    key_dim = fields.integer("swa_head_dim", default=sizes.head_dim)
    return Attention(
        fields.integer("swa_num_attention_heads", default=sizes.heads),
        fields.integer("swa_num_key_value_heads", default=2 * sizes.kv_heads),
        key_dim,
        fields.integer("swa_v_head_dim", "v_head_dim", default=key_dim),
        window=fields.integer("sliding_window", "sliding_window_size"),
        bias=bias,
        sinks=fields.flag("add_swa_attention_sink_bias", default=True),
    )


def drafts(fields: Fields, sizes: Dimensions, mixer: Part, feed: Mlp) -> list[Block]:
    """Prediction blocks are windowed and dense. Configs do not say how many; checkpoints have three, as llama.cpp's converter expects."""
    steps = fields.integer("num_nextn_predict_layers", default=3, least=0, most=64)
    names = ("attn_norm", "ffn_norm", "nextn.enorm", "nextn.hnorm", "layer_output_norm")
    shapes = [shape for name in names for shape in norm(name, sizes.hidden)]
    own = Extras((*shapes, ("nextn.eh_proj.weight", (2 * sizes.hidden, sizes.hidden))))
    return [Block((mixer,), feed, own)] * steps
