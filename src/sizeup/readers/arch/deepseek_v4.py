"""DeepSeek-V4: compressed attention of two strengths by layer, four mixed residual streams (hyper-connections), experts."""

from __future__ import annotations

from sizeup.layers import Block, CompressedAttention, Embedding, Extras, Head, Moe
from sizeup.readers.body import Body, Shapes, norm, norms
from sizeup.readers.dimensions import dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import MOST_TOKENS, Fields

INDEXED_RATIO = 4
"""Layers that pool four tokens overlap their pools and choose among them with an indexer."""
RATIOS = {"sliding_attention": 0, "compressed_sparse_attention": INDEXED_RATIO, "heavily_compressed_attention": 128}


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    hidden, layers, streams = sizes.hidden, sizes.layers, fields.integer("hc_mult", most=64)
    pools = ratios(fields, layers)
    words = fields.texts("mlp_layer_types") or []
    hashed = fields.integer("num_hash_layers", default=words.count("hash_moe"), least=0)
    own = Extras(
        (*norms(("attn_norm", "ffn_norm"), hidden).shapes, *mixing("hc_attn", hidden, streams), *mixing("hc_ffn", hidden, streams))
    )
    routed, by_hash = experts(fields, True), experts(fields, False)
    blocks = [
        Block((attention(fields, sizes.heads, sizes.head_dim, pools[layer]),), by_hash if layer < hashed else routed, own)
        for layer in range(layers)
    ]
    joins: Shapes = (("nextn.eh_proj.weight", (2 * hidden, hidden)),)
    for name in ("nextn.enorm", "nextn.hnorm", "nextn.shared_head_norm"):
        joins += norm(name, hidden)
    last = attention(fields, sizes.heads, sizes.head_dim, pools[layers] if len(pools) > layers else 0)
    draft = Block((last,), routed, Extras((*own.shapes, *joins, *gathering("nextn.hc", hidden, streams))))
    return Body(
        hidden,
        sizes.vocabulary,
        Embedding(sizes.vocabulary),
        Head(
            sizes.vocabulary,
            fields.flag("tie_word_embeddings"),
            norm=(*norm("output_norm", hidden), *gathering("output_hc", hidden, streams)),
        ),
        blocks,
        [draft] * fields.integer("num_nextn_predict_layers", default=0, least=0, most=64),
    )


def ratios(fields: Fields, layers: int) -> list[int]:
    """Tokens per pool of each layer; one more entry belongs to the prediction block."""
    listed = fields.integers("compress_ratios")
    if listed is None:
        words = fields.texts("layer_types", length=layers)
        if words is None:
            raise fields.missing(("compress_ratios",))
        rates = fields.section("compress_rates")
        listed = [rates.integer(word, default=RATIOS.get(word, 0), least=0) if rates else RATIOS.get(word, 0) for word in words]
    if len(listed) < layers:
        raise fields.broken(("compress_ratios",), f"of length {len(listed)} for {layers} layers")
    return listed


def attention(fields: Fields, heads: int, dim: int, ratio: int) -> CompressedAttention:
    indexed = ratio == INDEXED_RATIO
    return CompressedAttention(
        heads,
        dim,
        fields.integer("q_lora_rank"),
        fields.integer("o_groups"),
        fields.integer("o_lora_rank"),
        fields.integer("sliding_window", default=128, most=MOST_TOKENS),
        ratio,
        indexed,
        fields.integer("index_n_heads") if indexed else 0,
        fields.integer("index_head_dim") if indexed else 0,
        fields.integer("index_topk", default=0, least=0) if indexed else 0,
    )


def experts(fields: Fields, bias: bool) -> Moe:
    """Layers routed by a hash of the token have no correction bias (their table of whole numbers is no weight)."""
    count, width = fields.integer("n_routed_experts"), fields.integer("moe_intermediate_size")
    shared = fields.integer("n_shared_experts", default=1, least=0) * width
    return Moe(count, fields.integer("num_experts_per_tok", most=count), width, shared, router_bias=bias)


def mixing(name: str, hidden: int, streams: int) -> Shapes:
    """Weights that mix the residual streams before and after one part."""
    maps = (2 + streams) * streams
    return ((f"{name}_fn.weight", (streams * hidden, maps)), (f"{name}_base.weight", (maps,)), (f"{name}_scale.weight", (3,)))


def gathering(name: str, hidden: int, streams: int) -> Shapes:
    """Weights that gather the streams into one before a head."""
    return ((f"{name}_fn.weight", (streams * hidden, streams)), (f"{name}_base.weight", (streams,)), (f"{name}_scale.weight", (1,)))
