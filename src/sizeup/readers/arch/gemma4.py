"""Gemma 4: full layers with wider heads (their values may be their keys), shared keys and values, per-layer embeddings, experts
beside a dense part, and a scalar per layer."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Embedding, Extras, Head, Mlp, Moe, Part
from sizeup.readers.body import Body, Shapes, norm, norms
from sizeup.readers.dimensions import FEED, Dimensions, dimensions
from sizeup.readers.families import Family
from sizeup.readers.feeds import EXPERT_WIDTH, EXPERTS, USED
from sizeup.readers.fields import Fields
from sizeup.readers.schedule import layer_kinds, window_tokens

FULL_HEAD_DIM = 512
"""Head width of full layers when the config does not say (transformers 5.23.0, Gemma4TextConfig)."""
EXPERT_NORMS = ("pre_ffw_norm_2", "post_ffw_norm_1", "post_ffw_norm_2")


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    hidden, layers = sizes.hidden, sizes.layers
    kinds = layer_kinds(fields, family, layers)
    shared_from = layers - min(fields.integer("num_kv_shared_layers", default=0, least=0), layers)
    per_layer = fields.integer("hidden_size_per_layer_input", default=0, least=0)
    routed = fields.flag("enable_moe_block", default=fields.integer(*EXPERTS, default=0, least=0) > 0)
    scales: Shapes = (("ffn_gate_inp.scale", (hidden,)), ("ffn_down_exps.scale", (fields.integer(*EXPERTS),))) if routed else ()
    own = Extras((*norms(family.norms, hidden).shapes, *extras(hidden, per_layer, routed), *scales))
    width, wide = fields.integer(*FEED), fields.flag("use_double_wide_mlp")
    blocks = []
    for layer in range(layers):
        reuses = layer >= shared_from
        dense = Mlp(width * 2 if wide and reuses else width)
        feed: Part = experts(fields, dense) if routed else dense
        blocks.append(Block((attention(fields.for_layer(layer), family, sizes, kinds[layer], reuses),), feed, own))
    head = Head(sizes.vocabulary, fields.flag("tie_word_embeddings", default=True), norm=norm("output_norm", hidden))
    return Body(hidden, sizes.vocabulary, embedding(fields, sizes, per_layer), head, blocks)


def attention(fields: Fields, family: Family, sizes: Dimensions, kind: str, reuses: bool) -> Attention:
    full = kind == "full"
    width, kv_heads = fields.integer("head_dim", default=sizes.head_dim), fields.integer("num_key_value_heads", default=sizes.kv_heads)
    same = full and fields.flag("attention_k_eq_v")
    if full and not fields.has("per_layer_config"):
        width = fields.integer("global_head_dim", default=FULL_HEAD_DIM)
        kv_heads = fields.integer("num_global_key_value_heads", default=kv_heads) if same else kv_heads
    return Attention(
        sizes.heads,
        kv_heads,
        width,
        width,
        window=0 if full else window_tokens(fields, family),
        caches=not reuses,
        unused_kv=reuses,
        value_is_key=same,
        bias=fields.flag("attention_bias"),
        output_bias=fields.flag("attention_bias"),
        norm="head",
    )


def experts(fields: Fields, dense: Mlp) -> Moe:
    """Routed experts beside the dense part."""
    count = fields.integer(*EXPERTS)
    width = fields.integer(*EXPERT_WIDTH)
    return Moe(count, fields.integer(*USED, most=count), width, fused=True, dense=dense)


def extras(hidden: int, per_layer: int, routed: bool) -> Shapes:
    shapes: Shapes = (("layer_output_scale.weight", (1,)),)
    if routed:
        shapes += norms(EXPERT_NORMS, hidden).shapes
    if per_layer:
        shapes += (("inp_gate.weight", (hidden, per_layer)), ("proj.weight", (per_layer, hidden)), ("post_norm.weight", (hidden,)))
    return shapes


def embedding(fields: Fields, sizes: Dimensions, per_layer: int) -> Embedding:
    if not per_layer:
        return Embedding(sizes.vocabulary)
    return Embedding(
        sizes.vocabulary,
        extras=(("per_layer_model_proj.weight", (sizes.hidden, sizes.layers * per_layer)), *norm("per_layer_proj_norm", per_layer)),
        per_layer_width=per_layer,
        per_layer_vocabulary=fields.integer("vocab_size_per_layer_input", default=sizes.vocabulary, most=1 << 28),
        layers=sizes.layers,
    )
