"""The stored type of every tensor in a file: what the converter gives, and what the quantiser makes of it."""

from __future__ import annotations

from collections.abc import Sequence

from ..model import Tensor
from .table import FLOATS, MixFacts, mix
from .tensors import is_quantised, quantiser_order, stays_f32, without_block
from .walk import Walk


def converted_type(tensor: Tensor, mix_name: str = "F16", architecture: str = "") -> str:
    """Type that the converter gives: 32 bits for vectors, norms and a few small matrices, the asked type for the rest."""
    return "F32" if len(tensor.shape) <= 1 or stays_f32(without_block(tensor.name), architecture) else mix(mix_name).base


def assign(tensors: Sequence[Tensor], mix_name: str, facts: MixFacts, source: str = "F16") -> tuple[str, ...]:
    """The stored type of each tensor, in the order given, in a file of this mix.

    Tensors without a type count as converted to `source` first; a type that is there is what the quantiser reads.
    """
    chosen = mix(mix_name)
    first = chosen.base if chosen.base in FLOATS else source
    stored = [tensor.type or converted_type(tensor, first, facts.architecture) for tensor in tensors]
    if chosen.base in FLOATS:
        return tuple(
            chosen.base if tensor.type and is_quantised(tensor, facts.architecture) else kind
            for tensor, kind in zip(tensors, stored, strict=True)
        )
    walk = Walk(chosen, facts, tensors)
    for index in sorted(range(len(tensors)), key=lambda i: quantiser_order(tensors[i].name)):
        if is_quantised(tensors[index], facts.architecture):
            stored[index] = walk.type_of(tensors[index])
    return tuple(stored)
