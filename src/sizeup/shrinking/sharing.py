"""Layers that share one copy of their weights: all of a kind (ALBERT), or immediate neighbours (MobileLLM-LS)."""

from __future__ import annotations

from collections.abc import Sequence

from sizeup.engines.llamacpp.tensors import blocks
from sizeup.errors import UserError
from sizeup.mixes import block_of
from sizeup.model import ModelSpec, Tensor

ALL = "all"
"""Every layer of a kind shares."""


def repeated(model: ModelSpec, neighbours: int | str) -> frozenset[int]:
    """Positions of the layers that store nothing of their own. Raises UserError where no neighbours are alike."""
    stack = blocks(model)
    if neighbours == ALL:
        first = {block: position for position, block in reversed(stack)}
        gone = frozenset(position for position, block in stack if first[block] != position)
    else:
        count = int(neighbours)
        if not 1 < count <= model.layers:
            raise UserError(f"--share-layers {count} shares nothing among {model.layers} layers.", "--share-layers 2 or --share-layers all")
        starts = range(0, len(stack), count)
        gone = frozenset(
            at for start in starts for at in range(start + 1, min(start + count, len(stack))) if stack[at][1] == stack[start][1]
        )
    if not gone:
        raise UserError(f"Neighbouring layers of {model.name} are of unlike kinds, so they cannot share weights.", "--share-layers all")
    return gone


def stored_once(tensors: Sequence[Tensor], gone: frozenset[int]) -> tuple[Tensor, ...]:
    """The tensors without those of layers that use another's."""
    return tuple(tensor for tensor in tensors if block_of(tensor.name) not in gone)
