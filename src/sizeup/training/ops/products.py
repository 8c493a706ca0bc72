"""Matrix products and rows of tables."""

from __future__ import annotations

from sizeup.figure import Number, plain

from ..tape import Tape
from ..tensors import Gradients, Tensor, Weight
from .elementwise import to
from .leaves import leaf, weight_of


def matrix(tape: Tape, x: Tensor, weight: Weight, rows: Number, outputs: Number, bias: Weight | None = None) -> Tensor:
    """A linear map of `rows` rows to `outputs` values each. Keeps x when the weight is trained, and autocast's copy of the weight.

    Without a bias the weight's gradient is made first, with one the input's (PyTorch's mm and addmm).
    """
    width = 2 if tape.casting else max(x.width, weight.width)
    x = to(tape, x, width)
    w = weight_of(tape, weight, width)
    inputs = (x, w) if bias is None else (x, w, weight_of(tape, bias, width))
    sizes = [(t.elements, t.edge is not None) for t in inputs]

    def run(gradients: Gradients) -> Gradients:
        made: Gradients = [None] * len(sizes)
        for position in (0, 1, 2) if len(sizes) == 3 else (1, 0):
            if sizes[position][1]:
                made[position] = tape.new(sizes[position][0], width, "gradient of a matrix")
        return made

    keeps = (*((x,) if w.edge else ()), *((w,) if x.edge else ()))
    return tape.one("matrix", rows * outputs, width, inputs, run, keeps)


def batched(tape: Tape, a: Tensor, b: Tensor, elements: Number, name: str = "batched product") -> Tensor:
    """`bmm`: keeps both; backward makes the second factor's gradient first."""
    sides = [(t.elements, t.edge is not None) for t in (a, b)]
    width = max(a.width, b.width)

    def run(gradients: Gradients) -> Gradients:
        made: Gradients = [None, None]
        for side in (1, 0):
            if sides[side][1]:
                made[side] = tape.new(sides[side][0], width, name)
        return made

    keeps = (*((a,) if b.edge else ()), *((b,) if a.edge else ()))
    return tape.one(name, elements, width, (a, b), run, keeps)


def embedding(tape: Tape, weight: Weight, rows: Number, width: Number) -> Tensor:
    """Rows picked from the table; the table's gradient is as large as the table."""
    table = leaf(tape, weight)
    whole, number = weight.elements, weight.width
    return tape.one("embedding", rows * width, number, (table,), lambda gradients: [tape.new(whole, number, "embedding backward")])


def positions(tape: Tape, tokens: Number) -> Tensor:
    """`arange(tokens) + 0`: 64-bit numbers."""
    counted = tape.new(tokens, 8, "positions")
    return tape.new(counted.elements, 8, "positions")


def positions_embedded(tape: Tape, weight: Weight, tokens: Number, batch: Number, width: Number) -> Tensor:
    """Learned positions: one row a position, shared by the sequences of the batch, whose gradients are summed."""
    rows = embedding(tape, weight, tokens, width)
    if not plain(batch) > 1:
        return rows
    elements, number = rows.elements, rows.width
    return tape.seen(rows, lambda gradients: [tape.new(elements, number, "summed")])
