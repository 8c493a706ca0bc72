"""Many tasks on one base: what N adapters store beside it, and what N full copies would."""

from __future__ import annotations

from collections.abc import Sequence

from sizeup.figure import Number, step
from sizeup.model import Tensor

from .low_rank import low_rank_parameters
from .shape import matrices

VALUE_BYTES = 2
"""Adapters are kept in 16 bits."""


def adapter_parameters(tensors: Sequence[Tensor], architecture: str, rank: int, experts_used: float = 1.0) -> int:
    """Weights of one LoRA on every matrix of the blocks; of experts one for each, or for the share that a token uses."""
    found = 0
    for tensor in matrices(tensors, architecture):
        inputs, outputs = tensor.shape[0], tensor.shape[1]
        each = tensor.elements // (inputs * outputs) * int(low_rank_parameters(inputs, outputs, rank))
        found += round(each * experts_used) if len(tensor.shape) > 2 else each
    return found


@step("adapters_bytes")
def adapters_bytes(base: Number, parameters: Number, adapters: Number) -> Number:
    """One base, and so many adapters."""
    return base + adapters * parameters * VALUE_BYTES


@step("copies_bytes")
def copies_bytes(base: Number, copies: Number) -> Number:
    """The same tasks as whole models."""
    return base * copies
