"""Models with fewer of the same layers, for machines that do not hold the whole: their cost per round of layers is the whole's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sizeup.layers import Block
from sizeup.model import Group, ModelSpec, Tensor

LONGEST_ROUND = 12
"""Blocks after which every known architecture repeats itself."""


def blocks_of(model: ModelSpec) -> list[Block]:
    """The model's blocks in order."""
    at = {position: group.block for group in model.groups for position in group.positions}
    return [at[position] for position in sorted(at)]


def rounds(model: ModelSpec) -> tuple[int, int]:
    """How many blocks stand before the repetition begins, and how many make one round of it.

    (0, the number of layers) for a model that does not repeat itself: it cannot be thinned.
    """
    stack = blocks_of(model)
    for first in range(min(len(stack) // 2, LONGEST_ROUND)):
        for period in range(1, LONGEST_ROUND + 1):
            rest = stack[first:]
            if len(rest) >= 2 * period and all(block == rest[index % period] for index, block in enumerate(rest)):
                return first, period
    return 0, len(stack)


def thinned(model: ModelSpec, layers: int) -> ModelSpec:
    """The model's first `layers` blocks with everything that stands around them."""
    groups = tuple(Group(group.block, kept) for group in model.groups if (kept := tuple(p for p in group.positions if p < layers)))
    tensors = tuple(tensor for tensor in model.tensors if _position(tensor) < layers)
    hyper = {key: _cut(value, model.layers, layers) for key, value in model.hyper.items()}
    if "block_count" in hyper:
        hyper["block_count"] = layers
    return replace(model, groups=groups, draft_blocks=(), tensors=tensors, hyper=hyper)


def _position(tensor: Tensor) -> int:
    return int(tensor.name.split(".")[1]) if tensor.name.startswith("blk.") else -1


def _cut(value: Any, whole: int, layers: int) -> Any:
    return value[:layers] if isinstance(value, list) and len(value) == whole else value
