"""DeciLM and Nemotron-NAS (Llama-3.3-Nemotron-Super): a search chose each block's key/value heads and width, or left parts out."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Extras, Mlp, Part
from sizeup.readers import decoder
from sizeup.readers.body import Body, norm
from sizeup.readers.dimensions import FEED, Dimensions, dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import MOST_WIDTH, Fields

MULTIPLE = 256


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    listed = fields.listed("block_configs", length=sizes.layers)
    if listed is not None:
        blocks = [chosen(Fields(item, fields.model, f"block_configs.{n}."), sizes) for n, item in enumerate(listed)]
    else:
        kv_heads = fields.each_layer("num_key_value_heads_per_layer", layers=sizes.layers, default=sizes.kv_heads, most=sizes.heads)
        blocks = [block(sizes, attention(sizes, heads), Mlp(fields.integer(*FEED))) for heads in kv_heads]
    return decoder.around(fields, family, sizes, blocks)


def attention(sizes: Dimensions, kv_heads: int) -> Attention:
    return Attention(sizes.heads, kv_heads, sizes.head_dim, sizes.head_dim)


def chosen(config: Fields, sizes: Dimensions) -> Block:
    """One block as the search left it: whole, replaced by one matrix, or without the part (and its norm)."""
    mix, feed = config.section("attention"), config.section("ffn")
    if mix is None or feed is None:
        raise config.missing(("attention" if mix is None else "ffn",))
    mixer: Part | None = None
    if mix.flag("replace_with_linear"):
        mixer = Extras((("attn_output.weight", (sizes.hidden, sizes.hidden)),))
    elif not mix.flag("no_op"):
        mixer = attention(sizes, max(sizes.heads // mix.integer("n_heads_in_group"), 1))
    dense: Part | None = None
    if feed.flag("replace_with_linear"):
        dense = Extras((("ffn_down.weight", (sizes.hidden, sizes.hidden)),))
    elif not feed.flag("no_op"):
        dense = Mlp(feed.integer("intermediate_size", default=None) or width(feed, sizes.hidden))
    return block(sizes, mixer, dense)


def width(feed: Fields, hidden: int) -> int:
    """Two thirds of the multiple of the residual's width, rounded up."""
    multiplier = feed.number("ffn_mult")
    if multiplier is None:
        raise feed.missing(("ffn_mult",))
    found = int(2 * multiplier * hidden / 3)
    return feed.whole(-(-found // MULTIPLE) * MULTIPLE, ("ffn_mult",), 1, MOST_WIDTH)


def block(sizes: Dimensions, mixer: Part | None, feed: Part | None) -> Block:
    first = norm("attn_norm", sizes.hidden) if mixer is not None else ()
    second = norm("ffn_norm", sizes.hidden) if feed is not None else ()
    return Block((mixer,) if mixer is not None else (), feed, Extras((*first, *second)))
