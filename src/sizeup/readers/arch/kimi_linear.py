"""Kimi Linear and Kimi K3: Kimi delta attention with latent attention layers between, experts that may work in a latent width."""

from __future__ import annotations

from dataclasses import replace

from sizeup.layers import Block, Extras, KimiDelta, Moe, Part
from sizeup.readers import decoder, feeds, mixers
from sizeup.readers.body import Body, Shapes, norms
from sizeup.readers.dimensions import Dimensions, dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields
from sizeup.readers.schedule import sparse_layers


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    delta, linear = delta_of(fields, sizes)
    latent: Part = mixers.latent_attention(fields, family, sizes, 0)
    routed = sparse_layers(fields, sizes.layers)
    dense, sparse = feeds.dense(fields, family, 1, 0, False), experts(fields, family)
    mixed = fields.has("attn_res_block_size")
    own = Extras((*norms(family.norms, sizes.hidden).shapes, *(residual(("attn", "ffn"), sizes.hidden) if mixed else ())))
    last = decoder.head(fields, family, sizes)
    if mixed:
        last = replace(last, norm=(*last.norm, *residual(("output",), sizes.hidden)))
    blocks = [Block((delta if layer in linear else latent,), sparse if routed[layer] else dense, own) for layer in range(sizes.layers)]
    return Body(
        sizes.hidden,
        sizes.vocabulary,
        decoder.embedding(fields, family, sizes),
        last,
        blocks,
        gguf="kimi-k3" if fields.has("routed_expert_hidden_size") else family.gguf,
    )


def residual(names: tuple[str, ...], hidden: int) -> Shapes:
    """Attention over earlier residual states (K3): a norm and a score vector at each place that mixes them."""
    return tuple((f"{name}_res_{part}.weight", (hidden,)) for name in names for part in ("norm", "proj"))


def delta_of(fields: Fields, sizes: Dimensions) -> tuple[KimiDelta, set[int]]:
    """The delta attention and the layers that have it: Moonshot's section counts layers from one, transformers lists kinds."""
    inside = fields.section("linear_attn_config")
    if inside is not None:
        listed = inside.integers("kda_layers")
        if listed is None:
            raise inside.missing(("kda_layers",))
        kernel, full_rank = inside.integer("short_conv_kernel_size", default=4), inside.flag("use_full_rank_gate")
        return KimiDelta(inside.integer("num_heads"), inside.integer("head_dim"), kernel, full_rank), {layer - 1 for layer in listed}
    kinds = fields.texts("layer_types", length=sizes.layers)
    if kinds is None:
        raise fields.missing(("linear_attn_config",))
    delta = KimiDelta(
        fields.integer("linear_num_heads"), fields.integer("linear_head_dim"), fields.integer("linear_conv_kernel_dim", default=4)
    )
    return delta, {layer for layer, kind in enumerate(kinds) if kind == "linear_attention"}


def experts(fields: Fields, family: Family) -> Moe:
    plain = feeds.sparse(fields, family)
    latent = fields.integer("routed_expert_hidden_size", default=0)
    return Moe(
        plain.experts,
        plain.used,
        plain.width,
        plain.shared_width,
        router_bias=True,
        latent=latent,
        latent_norm=bool(latent) and fields.flag("latent_moe_use_norm"),
    )
