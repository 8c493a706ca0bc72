"""The engine's accounting for many plans at once, as numpy columns.

No formula is written here. `Engine.account` is asked once for each quantisation with a whole column of contexts, and what it
claims is kept as the terms of a sum: what differs from quantisation to quantisation, and what differs from context to
context. A cell (quantisation x context) is the sum of its terms, so that millions of cells cost additions and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy
from numpy.typing import NDArray

from .errors import Refused
from .model import ModelSpec
from .plan import Breakdown


class Accounts(Protocol):
    """What can be asked for a plan's bytes: an engine, or one settled on a machine."""

    def account(self, model: ModelSpec, quant: str | None, settings: Any) -> Breakdown: ...


Column = NDArray[numpy.int64]
Place = tuple[str, str]
"""(part of the breakdown, pool)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The bytes of one model for quantisations x contexts, under one way to start the engine.

    Every term is an array that broadcasts to (quantisations, contexts): (q, 1) where the context does not matter, (1, c) where
    the quantisation does not, (q, c) where both do.
    """

    bytes: dict[Place, Column]
    """As `Breakdown.bytes(part, pool)`."""
    needed: dict[Place, Column]
    """The same at the upper end of the stated bands, without reclaimable pages: as `Breakdown.needed_bytes`."""
    refused: NDArray[numpy.bool_]
    """Cells that the engine would not start; their bytes mean nothing."""

    @property
    def shape(self) -> tuple[int, int]:
        """Quantisations, contexts."""
        return self.refused.shape[0], self.refused.shape[1]

    @property
    def pools(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(pool for _, pool in self.bytes))

    def total(self, part: str | None = None, pool: str | None = None) -> Column:
        """Bytes of this part in this pool for every cell; None means all of them."""
        return added([term for (a, b), term in self.bytes.items() if part in (None, a) and pool in (None, b)], self.shape)

    def needed_bytes(self, pool: str) -> Column:
        """What must be free in this pool, for every cell."""
        return added([term for (_, where), term in self.needed.items() if where == pool], self.shape)


def added(terms: Sequence[Column], shape: tuple[int, ...]) -> Column:
    """The sum of terms over all cells; small terms are added before anything is spread out."""
    sums: dict[tuple[int, ...], Column] = {}
    for term in terms:
        sums[term.shape] = sums[term.shape] + term if term.shape in sums else term
    result = numpy.zeros((1,) * len(shape), numpy.int64)
    for term in sorted(sums.values(), key=lambda term: term.size):
        result = result + term
    return numpy.broadcast_to(result, shape)


def terms(model: ModelSpec, engine: Accounts, quants: Sequence[str | None], contexts: Sequence[int], settings: Any) -> Terms:
    """The terms of `model` for these quantisations and contexts; the context in `settings` does not count.

    Exact: every cell equals what `engine.account` answers for that one plan (a law of the tests). Refused cells are marked.
    """
    column = numpy.asarray(contexts, numpy.int64)
    rows = [_row(model, engine, quant, column, settings) for quant in quants]
    refused = numpy.array([row.refused for row in rows])

    def folded(sums: list[dict[Place, Column]]) -> dict[Place, Column]:
        places = dict.fromkeys(place for row in sums for place in row)
        nothing = numpy.zeros(len(column), numpy.int64)
        return {place: _folded(numpy.array([row.get(place, nothing) for row in sums]), refused) for place in places}

    return Terms(folded([row.bytes for row in rows]), folded([row.needed for row in rows]), refused)


class _Row(NamedTuple):
    """One quantisation, for every context."""

    bytes: dict[Place, Column]
    needed: dict[Place, Column]
    refused: NDArray[numpy.bool_]


def _row(model: ModelSpec, engine: Accounts, quant: str | None, contexts: Column, settings: Any) -> _Row:
    """The whole column at once; context by context where one of them is refused."""
    try:
        claims = engine.account(model, quant, replace(settings, context_tokens=contexts)).claims
    except Refused:
        if len(contexts) == 1:
            return _Row({}, {}, numpy.array([True]))
        return _joined([_row(model, engine, quant, contexts[i : i + 1], settings) for i in range(len(contexts))])
    row = _Row({}, {}, numpy.zeros(len(contexts), numpy.bool_))
    for claim in claims:
        for found, number in ((row.bytes, claim.bytes), (row.needed, claim.needed_bytes)):
            place = claim.part, claim.pool
            spread = numpy.broadcast_to(numpy.asarray(number, numpy.int64), contexts.shape)
            found[place] = found[place] + spread if place in found else spread
    return row


def _joined(cells: list[_Row]) -> _Row:
    def joined(sums: list[dict[Place, Column]]) -> dict[Place, Column]:
        places = dict.fromkeys(place for cell in sums for place in cell)
        return {place: numpy.concatenate([cell.get(place, numpy.zeros(1, numpy.int64)) for cell in sums]) for place in places}

    bytes, needed = joined([cell.bytes for cell in cells]), joined([cell.needed for cell in cells])
    return _Row(bytes, needed, numpy.concatenate([cell.refused for cell in cells]))


def _folded(cells: Column, refused: NDArray[numpy.bool_]) -> Column:
    """The smallest array that broadcasts to these cells; refused ones may hold anything."""
    live = ~refused.all(axis=1)
    if live.any() and not live.all():
        # A refused quantisation takes another's numbers, so that it does not keep the terms from folding.
        cells[~live] = cells[live][0]
    if (cells == cells[:1]).all():
        cells = cells[:1]
    if (cells == cells[:, :1]).all():
        cells = cells[:, :1]
    return cells
