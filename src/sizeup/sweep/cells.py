"""Cells: what every mix and context of many models takes, and what room that leaves. Additions and comparisons only.

An array has the axes (models, mixes, contexts); a term has length 1 along the axes that it does not depend on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy
from numpy.typing import NDArray

from ..columns import Column, Terms, added

Shape = tuple[int, int, int]


class Batch(NamedTuple):
    """The terms of several models under one way to start the engine, pool by pool."""

    pools: dict[str, tuple[Column, ...]]
    """Bytes that must be free: the summands of each pool's sum."""
    refused: NDArray[numpy.bool_]

    @property
    def shape(self) -> Shape:
        models, quants, contexts = self.refused.shape
        return models, quants, contexts

    def needed_bytes(self, pool: str) -> Column:
        """What must be free in this pool for every cell."""
        return added(self.pools.get(pool, ()), self.shape)


def batch(models: Sequence[Terms]) -> Batch:
    """One array per pool and kind of term, in the order of the models."""
    pools = dict.fromkeys(pool for terms in models for pool in terms.pools)
    return Batch({pool: _stacked(models, pool) for pool in pools}, numpy.stack([terms.refused for terms in models]))


def _stacked(models: Sequence[Terms], pool: str) -> tuple[Column, ...]:
    """Terms of one kind are added for each model before models are stacked, so that a cell has three summands at most."""
    quants, contexts = models[0].shape
    found = []
    for kind, shape in enumerate(((1, contexts), (quants, 1), (quants, contexts))):
        rows = [[term for (_, where), term in terms.needed.items() if where == pool and _kind(term) == kind] for terms in models]
        if any(rows):
            found.append(numpy.stack([added(row, shape) for row in rows]))
    return tuple(found)


def _kind(term: Column) -> int:
    """0: the mix does not matter (nor, perhaps, the context); 1: the context does not; 2: both do."""
    if term.shape[0] == 1:
        return 0
    return 1 if term.shape[1] == 1 else 2


def room(batch: Batch, free_bytes: Mapping[str, int]) -> Column:
    """Bytes left in the fullest pool for every cell; negative is what is missing. A pool that the machine lacks has none."""
    result: Column | None = None
    for pool, summands in batch.pools.items():
        # What is free goes into the smallest summand, so that each pool costs one pass over the cells.
        first, *others = sorted(summands, key=lambda term: term.size) or [numpy.zeros((1, 1, 1), numpy.int64)]
        left: Column = numpy.int64(free_bytes.get(pool, 0)) - first
        for term in others:
            left = left - term
        result = left if result is None else numpy.minimum(result, left)
    if result is None:
        return numpy.zeros(batch.shape, numpy.int64)
    return numpy.broadcast_to(result, batch.shape)
