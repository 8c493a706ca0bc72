"""OpenELM: heads and widths grow from block to block."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Embedding, Head, Mlp
from sizeup.readers.body import Body, norm, norms
from sizeup.readers.dimensions import vocabulary
from sizeup.readers.families import Family
from sizeup.readers.fields import MOST_LAYERS, MOST_WIDTH, Fields


def read(fields: Fields, family: Family) -> Body:
    hidden, layers = fields.integer("model_dim"), fields.integer("num_transformer_layers", most=MOST_LAYERS)
    dim, words = fields.integer("head_dim"), vocabulary(fields)
    queries = fields.each_layer("num_query_heads", layers=layers)
    keys = fields.each_layer("num_kv_heads", layers=layers)
    divisor = fields.integer("ffn_dim_divisor", default=256)
    multipliers = fields.listed("ffn_multipliers", length=layers, each=lambda value: scale(fields, value))
    if multipliers is None:
        raise fields.missing(("ffn_multipliers",))
    norm_heads = "head" if fields.flag("normalize_qk_projections", default=True) else ""
    own = norms(("attn_norm", "ffn_norm"), hidden)
    blocks = [
        Block(
            (Attention(q, k, dim, dim, fused=True, norm=norm_heads),),
            Mlp(fields.whole(divisible(m * hidden, divisor), ("ffn_multipliers",), 1, MOST_WIDTH), fused=True),
            own,
        )
        for q, k, m in zip(queries, keys, multipliers, strict=True)
    ]
    head = Head(words, fields.flag("share_input_output_layers", default=True), norm=norm("output_norm", hidden))
    return Body(hidden, words, Embedding(words), head, blocks)


def scale(fields: Fields, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1000:
        raise fields.broken(("ffn_multipliers",), "with an item that is no multiplier")
    return float(value)


def divisible(value: float, divisor: int) -> int:
    """The nearest multiple of the divisor, but not more than a tenth below."""
    nearest = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * value else nearest
