"""Granite 4 and Bamba: Mamba-2 and attention blocks, each with a shared gated part and, in Granite's, routed experts beside it."""

from __future__ import annotations

from dataclasses import replace

from sizeup.layers import Block, Mlp, Part
from sizeup.readers import decoder, feeds, mixers
from sizeup.readers.body import Body, norms
from sizeup.readers.dimensions import Dimensions, dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields
from sizeup.readers.schedule import layer_kinds


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    kinds = kinds_of(fields, family, sizes)
    feed = feed_of(fields, family)
    made = {
        kind: Block((mixers.mixer(fields, family, sizes, kind, 0),), feed, norms(family.norms, sizes.hidden))
        for kind in dict.fromkeys(kinds)
    }
    return replace(decoder.around(fields, family, sizes, [made[kind] for kind in kinds]), gguf=architecture(fields, family, kinds))


def kinds_of(fields: Fields, family: Family, sizes: Dimensions) -> list[str]:
    if fields.has("layer_types", "layers_block_type"):
        return ["mamba" if kind == "linear" else kind for kind in layer_kinds(fields, family, sizes.layers)]
    chosen = set(fields.integers("attn_layer_indices") or ())
    if not chosen and fields.has("attn_layer_period"):
        period, offset = fields.integer("attn_layer_period"), fields.integer("attn_layer_offset", default=0, least=0)
        chosen = {layer for layer in range(sizes.layers) if layer % period == offset}
    return ["full" if layer in chosen else "mamba" for layer in range(sizes.layers)]


def feed_of(fields: Fields, family: Family) -> Part:
    """Bamba's dense part; Granite's shared part alone or beside experts."""
    shared: int | None = fields.integer("shared_intermediate_size", default=None)
    if shared is None:
        return feeds.dense(fields, family, 1, 0, False)
    return feeds.sparse(fields, family) if feeds.experts(fields) else Mlp(shared, fused=True)


def architecture(fields: Fields, family: Family, kinds: list[str]) -> str:
    """Without a recurrent layer llama.cpp writes the plain architectures."""
    if "mamba" in kinds:
        return family.gguf
    return "granitemoe" if feeds.experts(fields) else "granite"
