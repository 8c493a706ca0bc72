"""Smaller models of the same family that exist already: what distilling would aim at, somebody has mostly done."""

from __future__ import annotations

import re

from sizeup.errors import UserError
from sizeup.model import ModelSpec
from sizeup.quality import quality
from sizeup.quant_loss import Kept
from sizeup.readers import catalogue_data, read
from sizeup.traits import maker

SIZE = re.compile(r"(?<![A-Za-z0-9])\d+(\.\d+)?[bBmM](-[aA]\d+(\.\d+)?[bB])?(?![A-Za-z0-9])")
"""The size in a hub id: 8B, 0.6B, 30B-A3B."""


def smaller(model: ModelSpec) -> tuple[ModelSpec, ...]:
    """Catalogue models whose name differs from this one's in its size alone, the largest first; empty for a model outside of it."""
    id = str(model.card.get("id") or model.name)
    plain = SIZE.sub("#", id)
    if plain == id:
        return ()
    found = [read(other, offline=True) for other in catalogue_data.index().ids if other != id and SIZE.sub("#", other) == plain]
    return tuple(sorted((one for one in found if one.parameters < model.parameters), key=lambda one: -one.parameters))


def checked(model: ModelSpec, sibling: ModelSpec) -> ModelSpec:
    """The sibling itself. Raises UserError for a model that is no smaller, or another maker's."""
    near = [one.name for one in smaller(model)[:3]]
    if sibling.parameters >= model.parameters:
        raise UserError(f"{sibling.name} is not smaller than {model.name}.", ", ".join(near) or "--layers or --hidden")
    if maker(_id(sibling)) != maker(_id(model)):
        raise UserError(f"{sibling.name} is not of the family of {model.name}.", ", ".join(near) or "--layers or --hidden")
    return sibling


def left(model: ModelSpec, sibling: ModelSpec) -> Kept | None:
    """What the sibling's score is of the model's, by the scores that models are ranked by; the interval takes both at their worst.

    None where nobody ran a benchmark on one of them: estimates of one family say nothing of their difference.
    """
    whole, small = quality(model), quality(sibling)
    if "estimated" in (whole.basis, small.basis):
        return None
    kin = f"{sibling.name.rpartition('/')[2]} {small.value:.0f}, {model.name.rpartition('/')[2]} {whole.value:.0f}"
    return Kept(min(1.0, small.value / whole.value), small.lower / whole.upper, min(1.0, small.upper / whole.lower), "scaled", kin)


def _id(model: ModelSpec) -> str:
    return str(model.card.get("id") or model.name)
