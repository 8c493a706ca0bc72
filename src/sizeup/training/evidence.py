"""How we know what a step takes: traced as it is, or derived from steps that were."""

from __future__ import annotations

from sizeup.facts import Source, data_json
from sizeup.model import ModelSpec

from . import companions, parallel
from .parallel import Split
from .recipe import Recipe

SAME = {"rslora": "lora"}
"""Methods that allocate what another does: rank-stabilised LoRA scales by another number."""


def evidence(model: ModelSpec, recipe: Recipe, split: Split, algorithm: str) -> Source:
    """ "measured" when steps of this model type by this method, in this number format, with this optimizer were traced
    (data/training_traced.json); "derived" when the rules are applied to what never was."""
    facts = data_json("training_traced.json")
    if not split.alone:
        return parallel.DERIVED
    if algorithm != "sft":
        return companions.DERIVED
    method = SAME.get(recipe.method, recipe.method)
    # With its towers a model is of another type, which was traced as such.
    kind = model.config.get("model_type", model.model_type) if recipe.tower in ("frozen", "trained") else model.model_type
    known = method in facts["methods"].get(kind, ()) and recipe.optimizer in facts["optimizers"] and recipe.dtype in facts["dtypes"]
    if known and recipe.loss != "trl" and recipe.device == "cuda":
        return Source("measured", facts["source"], facts["date"])
    what = f"{kind or model.name}, {recipe.method}, {recipe.dtype}, {recipe.optimizer}"
    return Source("derived", f"the rules of traced steps, applied to one that was never traced: {what}", facts["date"])
