"""Towers for pictures and sound beside the text model that is trained: whether they are loaded, and what of them is trained.

The batch is text: a tower keeps no activations. Counted are its weights and, where it is trained, the gradients and
optimizer states that a batch with pictures leaves.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from dataclasses import replace

from sizeup.errors import UserError
from sizeup.facts import data_json
from sizeup.layers import Tower
from sizeup.model import ModelSpec

from .linear import Linear
from .recipe import Recipe
from .tensors import Weight
from .weights import Maker

KINDS = ("vision", "audio")
"""Towers that a step can do without; an encoder is part of its model."""
TABLES = ("position_embd", "class_embd", "probe", "input_projection", "image_newline", "newline")
"""Matrices that are no linear layers: learned tables, and Gemma 3's projection, which is a bare parameter."""


def beside(model: ModelSpec) -> tuple[Tower, ...]:
    """The towers that may be left out or frozen."""
    return tuple(tower for tower in model.towers if tower.kind in KINDS)


def loaded(model: ModelSpec, recipe: Recipe) -> str:
    """What becomes of the towers: as asked, else what transformers' class for this checkpoint loads, trained only in full fine-tuning.

    Raises UserError where a model has no tower, or a method trains none.
    """
    asked = recipe.tower
    if not beside(model):
        if asked not in ("", "none"):
            raise UserError(f"{model.name} has no tower for pictures or sound that could be {asked}.", "none")
        return "none"
    if asked == "trained" and recipe.method == "prompt":
        raise UserError("Prompt tuning trains no tower.", "frozen")
    if asked == "trained" and recipe.ranked and recipe.targets != "all-linear":
        raise UserError("Adapters of a tower are counted for the targets all-linear alone.", "frozen")
    if asked:
        return asked
    if model.config.get("model_type") in data_json("tower_classes.json")["text_alone"]:
        return "none"
    return "frozen" if recipe.adapted else "trained"


@functools.cache
def counted(tower: Tower) -> tuple[tuple[bool, tuple[int, ...], int], ...]:
    """Tensors of a tower: whether a linear layer's matrix, the shape, how many are alike."""
    found = Counter((is_linear(name, shape), shape) for name, shape in tower.shapes)
    return tuple((linear, shape, times) for (linear, shape), times in found.items())


def is_linear(name: str, shape: tuple[int, ...]) -> bool:
    """Whether a tensor is a linear layer's matrix, which loading in 4 bits and adapters for all linear layers mean."""
    return len(shape) == 2 and not any(table in name for table in TABLES)


def tower_weights(maker: Maker) -> list[tuple[Weight | Linear, int]]:
    """What the towers store, and how many there are of each; nothing unless the recipe says that they are loaded."""
    recipe = maker.recipe
    if recipe.tower in ("", "none"):
        return []
    trained = recipe.tower == "trained"
    if not trained:
        # Loaded as the rest is, and neither trained nor adapted.
        recipe = replace(recipe, targets="none") if recipe.ranked else replace(recipe, method="freeze")
    own = Maker(maker.model, recipe, trained=trained and not recipe.ranked)
    made: list[tuple[Weight | Linear, int]] = []
    for tower in beside(maker.model):
        for linear, shape, times in counted(tower):
            rows = shape[-1] if len(shape) > 1 else 0
            made.append((own.linear("up", shape[0], shape[1]) if linear else own.weight(math.prod(shape), rows), times))
        if tower.uncounted:
            made.append((own.weight(tower.uncounted), 1))
    return made


def left_out(model: ModelSpec, recipe: Recipe) -> int:
    """Weights of towers that are not loaded."""
    return sum(tower.parameters() for tower in beside(model)) if recipe.tower == "none" else 0
