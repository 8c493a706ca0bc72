"""Matrices as products of two thin ones (SVD-LLM, ASVD): rank to parameters, and the rank at which nothing is won."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sizeup.errors import UserError
from sizeup.figure import Number, step
from sizeup.mixes import fitting
from sizeup.model import Tensor

from .shape import matrices


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of matrix of the model: its name without block, its sides, how many there are, and the rank it breaks even at."""

    name: str
    inputs: int
    outputs: int
    matrices: int
    break_even: int


@step("low_rank_parameters")
def low_rank_parameters(inputs: Number, outputs: Number, rank: Number) -> Number:
    """Weights of the two thin matrices that stand for one."""
    return rank * (inputs + outputs)


@step("break_even_rank")
def break_even_rank(inputs: Number, outputs: Number) -> Number:
    """The largest rank at which the two store no more than the one: m n / (m + n), rounded down."""
    return inputs * outputs // (inputs + outputs)


def kinds(tensors: Sequence[Tensor], architecture: str) -> tuple[Kind, ...]:
    """Every kind of matrix that can be factorised, with its break-even rank."""
    found: dict[tuple[str, int, int], int] = {}
    for tensor in matrices(tensors, architecture):
        key = tensor.name.split(".", 2)[2].removesuffix(".weight"), tensor.shape[0], tensor.shape[1]
        found[key] = found.get(key, 0) + tensor.elements // (tensor.shape[0] * tensor.shape[1])
    return tuple(Kind(*key, count, int(break_even_rank(key[1], key[2]))) for key, count in found.items())


def factorised(tensors: Sequence[Tensor], architecture: str, rank: int) -> tuple[Tensor, ...]:
    """The tensors with each matrix of a larger break-even rank as two of this rank; the others stay. Raises UserError when all would."""
    best = max((kind.break_even for kind in kinds(tensors, architecture)), default=0)
    if not 0 < rank < best:
        raise UserError(
            f"Matrices of rank {rank:,} store more than what they replace: the largest that breaks even does at {best:,}.",
            f"--rank {max(1, best // 2):,}",
        )
    chosen = {tensor.name for tensor in matrices(tensors, architecture)}
    found: list[Tensor] = []
    for tensor in tensors:
        inputs, outputs = tensor.shape[0], tensor.shape[1] if len(tensor.shape) > 1 else 1
        if tensor.name not in chosen or rank >= break_even_rank(inputs, outputs):
            found.append(tensor)
            continue
        stem, kind = tensor.name.removesuffix(".weight"), str(tensor.type)
        found.append(replace(tensor, name=f"{stem}.down.weight", shape=(inputs, rank, *tensor.shape[2:])))
        found.append(replace(tensor, name=f"{stem}.up.weight", shape=(rank, outputs, *tensor.shape[2:]), type=fitting(kind, rank)))
    return tuple(found)
