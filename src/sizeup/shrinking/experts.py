"""Fewer experts stored, or fewer used for each token."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sizeup.errors import UserError
from sizeup.layers import Block, Extras, Moe
from sizeup.model import ModelSpec

from .shape import below, each, parts_of, reshaped


def fewer_experts(model: ModelSpec, experts: int) -> ModelSpec:
    """The model with so many routed experts a layer; each token still uses as many. What a token reads stays, what is stored falls."""
    feed = mixture(model, "--experts")
    below("--experts", experts, feed.experts, "experts")
    if experts < feed.used:
        raise UserError(f"A token of {model.name} uses {feed.used} experts, more than {experts}.", f"--experts {feed.used} or more")
    groups = _number(model.hyper, "n_group")
    if groups > 1 and experts % groups:
        raise UserError(
            f"{experts} experts do not divide into the {groups} groups that {model.name} routes by.",
            f"--experts {experts - experts % groups or groups}",
        )
    return reshaped(model, each(model, lambda block: _with(block, experts=experts)), config={"num_experts": experts})


def fewer_active(model: ModelSpec, used: int) -> ModelSpec:
    """The model with so many experts used for each token; all stay stored."""
    feed = mixture(model, "--active-experts")
    below("--active-experts", used, feed.used, "experts of a token")
    return reshaped(model, each(model, lambda block: _with(block, used=used)), config={"num_experts_per_tok": used})


def mixture(model: ModelSpec, option: str) -> Any:
    """The model's one kind of mixture. Raises UserError for a dense model, or several kinds."""
    feeds = parts_of(model, Moe)
    if not feeds:
        raise UserError(
            f"{model.name} has no experts that {option} could leave out: every weight serves every token.", "--layers or --inner"
        )
    if len({(feed.experts, feed.used) for feed in feeds}) > 1:
        raise UserError(f"Layers of {model.name} differ in their experts.", "--layers")
    return feeds[0]


def _with(block: Block, experts: int | None = None, used: int | None = None) -> Block:
    feed = block.feed
    if not isinstance(feed, Moe):
        return block
    kept = experts or feed.experts
    # Scales of single experts stand among the norms (Gemma 4).
    norms = tuple((name, (kept,) if "exps" in name and shape == (feed.experts,) else shape) for name, shape in block.norms.shapes)
    return replace(block, feed=replace(feed, experts=kept, used=used or feed.used), norms=Extras(norms))


def _number(table: Any, name: str) -> int:
    value = table.get(name)
    return value if isinstance(value, int) else 0
