"""Narrower layers: a smaller residual width, a smaller inner width of the feed-forward parts."""

from __future__ import annotations

from dataclasses import replace

from sizeup.errors import UserError
from sizeup.layers import Attention, Block, Extras, LatentAttention, Mlp, Moe
from sizeup.model import ModelSpec

from .shape import below, each, parts_of, reshaped

Shapes = tuple[tuple[str, tuple[int, ...]], ...]


def narrower(model: ModelSpec, hidden: int) -> ModelSpec:
    """The model with a residual of this width; heads and inner widths stay. Raises UserError where parts have widths of their own."""
    below("--hidden", hidden, model.hidden, "values of the residual")
    for group in model.groups:
        for part in group.block.parts:
            if not isinstance(part, (Attention, LatentAttention, Mlp, Moe, Extras)):
                raise UserError(
                    f"{type(part).__name__} layers have a width of their own, which --hidden does not change.", "--layers or --inner"
                )
    apart = {model.embedding.width, model.head.width} - {0, model.hidden}
    if model.towers or apart or model.embedding.per_layer_width:
        raise UserError(f"{model.name} has parts beside its layers that end in its width of {model.hidden}.", "--layers or --inner")

    def resized(shapes: Shapes) -> Shapes:
        return tuple((name, tuple(hidden if side == model.hidden else side for side in shape)) for name, shape in shapes)

    def followed(width: int) -> int:
        return hidden if width else 0

    def change(block: Block) -> Block:
        return replace(block, norms=Extras(resized(block.norms.shapes)))

    dims = {part.key_dim for part in parts_of(model, Attention)}
    # A config that leaves the heads' width out would now say another one.
    stated = {"head_dim": dims.pop()} if len(dims) == 1 else {}
    return reshaped(
        model,
        each(model, change),
        hidden=hidden,
        embedding=replace(model.embedding, width=followed(model.embedding.width), extras=resized(model.embedding.extras)),
        head=replace(model.head, width=followed(model.head.width), norm=resized(model.head.norm)),
        config={"hidden_size": hidden, **stated},
    )


def thinner(model: ModelSpec, inner: int) -> ModelSpec:
    """The model with feed-forward parts of this inner width; of a mixture every routed expert's. Raises UserError where widths differ."""
    feeds = parts_of(model, Mlp, Moe)
    widths = {part.width for part in feeds}
    if len(widths) != 1:
        raise UserError(f"{model.name} has {len(widths) or 'no'} inner widths, not one.", "--layers")
    below("--inner", inner, widths.pop(), "values inside a feed-forward part")

    def change(block: Block) -> Block:
        return replace(block, feed=replace(block.feed, width=inner)) if isinstance(block.feed, (Mlp, Moe)) else block

    expert = any(isinstance(part, Moe) for part in feeds)
    names = ("moe_intermediate_size",) if expert and "moe_intermediate_size" in model.config else ("intermediate_size",)
    return reshaped(model, each(model, change), config=dict.fromkeys(names, inner))
