"""Fewer layers: whole rounds of the architecture's pattern go from the deep end, the last layer stays."""

from __future__ import annotations

from sizeup.engines.llamacpp.tensors import blocks
from sizeup.errors import UserError
from sizeup.ghost.thin import rounds
from sizeup.model import ModelSpec

from .shape import below, reshaped


def fewer_layers(model: ModelSpec, layers: int) -> ModelSpec:
    """The model with so many layers: those before the last go, as deep layers change least, and kinds of layers keep their order.

    Raises UserError where that would break the pattern of unlike layers.
    """
    below("--layers", layers, model.layers, "layers")
    gone = model.layers - layers
    first, period = rounds(model)
    if gone % period or layers <= first:
        near = max(first + period, model.layers - max(1, round(gone / period)) * period) if period < model.layers else None
        raise UserError(
            f"Kinds of layers of {model.name} repeat every {period}, so {gone} of {model.layers} cannot go without breaking their order.",
            f"--layers {near}" if near else "--inner or --quant",
        )
    stack = blocks(model)
    # Whole rounds go, so the last layer is of the kind that its new place has.
    kept = [*stack[: layers - 1], stack[-1]]
    return reshaped(model, kept, config={"num_hidden_layers": layers})


def removable(model: ModelSpec, share: float) -> int | None:
    """The number of layers left when about this share of them goes; None where the model cannot lose any."""
    first, period = rounds(model)
    gone = round(model.layers * share / period) * period
    left = model.layers - gone
    return left if gone and left > first else None
