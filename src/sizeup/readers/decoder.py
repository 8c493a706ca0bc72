"""The common decoder: a stack of mixer + feed-forward blocks, as the family's row of facts and the config describe it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sizeup.layers import Block, Embedding, Extras, Head

from .body import Body, Shapes, norm, norms
from .dimensions import FEED, Dimensions, dimensions
from .families import Family, on
from .feeds import dense, experts, sparse
from .fields import Fields
from .mixers import block_indexers, mixer
from .schedule import layer_kinds, sparse_layers

DRAFTS = ("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules")


def read(fields: Fields, family: Family) -> Body:
    """The whole decoder; raises Unreadable for a missing or impossible field."""
    sizes = dimensions(fields, family)
    stack = blocks(fields, family, sizes)
    return around(fields, family, sizes, stack, drafts(fields, family, sizes, stack))


def around(fields: Fields, family: Family, sizes: Dimensions, stack: Sequence[Block], drafts: Sequence[Block] = ()) -> Body:
    """Blocks between the family's embedding and head."""
    return Body(sizes.hidden, sizes.vocabulary, embedding(fields, family, sizes), head(fields, family, sizes), stack, drafts)


def blocks(fields: Fields, family: Family, sizes: Dimensions) -> list[Block]:
    """All blocks in order. Equal layers are built once: a config names few kinds, however many layers it has."""
    kinds = layer_kinds(fields, family, sizes.layers)
    routed = sparse_layers(fields, sizes.layers) if experts(fields) else [False] * sizes.layers
    indexers = fields.texts("indexer_types", length=sizes.layers) or [""] * sizes.layers
    picky = block_indexers(fields, sizes.layers)
    widths = fields.integers(*FEED, length=sizes.layers) if isinstance(fields.raw(*FEED), list) else None
    heads = fields.integers("num_attention_heads_per_layer", length=sizes.layers, least=1) or [sizes.heads] * sizes.layers
    made: dict[object, Block] = {}
    result = []
    for layer in range(sizes.layers):
        key = (kinds[layer], routed[layer], indexers[layer], picky[layer], widths and widths[layer], heads[layer])
        at = fields.for_layer(layer)
        if at is not fields:
            result.append(block(at, family, dimensions(at, family), kinds[layer], routed[layer], layer, any(routed)))
            continue
        if key not in made:
            made[key] = block(fields, family, replace(sizes, heads=heads[layer]), kinds[layer], routed[layer], layer, any(routed))
        result.append(made[key])
    return result


def block(fields: Fields, family: Family, sizes: Dimensions, kind: str, routed: bool, layer: int, sparse_elsewhere: bool) -> Block:
    feed = sparse(fields, family) if routed else dense(fields, family, sizes.layers, layer, sparse_elsewhere)
    parallel, names = on(fields, family.parallel), family.norms
    if kind == "linear" and family.linear_norms is not None:
        names = family.linear_norms
    elif parallel and family.norms_if_parallel is not None:
        names = family.norms_if_parallel
    return Block((mixer(fields, family, sizes, kind, layer),), feed, norms(names, sizes.hidden, family.norm), parallel)


def embedding(fields: Fields, family: Family, sizes: Dimensions) -> Embedding:
    positions = 0
    if family.positions is not None:
        name, added = family.positions
        positions = fields.integer(name) + added
    extras = norm("token_embd_norm", sizes.hidden, family.norm) if family.embedding_norm else ()
    return Embedding(sizes.vocabulary, positions=positions, extras=extras)


def tied(fields: Fields, family: Family) -> bool:
    """Whether the output projection is the token embedding."""
    return fields.flag("tie_word_embeddings", default=family.tied)


def class_name(fields: Fields, default: str = "") -> str:
    """The first class that the config names."""
    listed = fields.raw("architectures")
    return listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], str) else default


def headless(fields: Fields) -> bool:
    """A class that ends at the last hidden state (`Qwen3Model`) has no output projection of its own."""
    name = class_name(fields)
    return name.endswith("Model") and "LMHead" not in name


def head(fields: Fields, family: Family, sizes: Dimensions) -> Head:
    final: Shapes = norm(family.final_norm, sizes.hidden, family.norm) if family.final_norm else ()
    return Head(sizes.vocabulary, tied(fields, family) or headless(fields), on(fields, family.head_bias), final)


def drafts(fields: Fields, family: Family, sizes: Dimensions, stack: Sequence[Block]) -> list[Block]:
    """Multi-token-prediction blocks: a further decoder block that joins the last hidden state with the next token's embedding."""
    count = fields.integer(*DRAFTS, default=0, least=0, most=64) if family.drafts else 0
    if not count:
        return []
    own = draft_norms(norms(family.norms, sizes.hidden, family.norm), sizes.hidden)
    feed = dense(fields, family, sizes.layers, sizes.layers - 1, True) if family.dense_drafts else stack[-1].feed
    return [Block((mixer(fields, family, sizes, "full", sizes.layers),), feed, own)] * count


def draft_norms(own: Extras, hidden: int) -> Extras:
    """What joins: two norms, a projection of both halves to one, and the norm before the shared head."""
    return Extras(
        (
            *own.shapes,
            ("nextn.eh_proj.weight", (2 * hidden, hidden)),
            *norm("nextn.enorm", hidden),
            *norm("nextn.hnorm", hidden),
            *norm("nextn.shared_head_norm", hidden),
        )
    )
