"""Attention with a learned sink per head (gpt-oss), as its code writes it out: a column of sinks joins the scores before the softmax."""

from __future__ import annotations

from . import kernels, ops
from .kernels import Heads
from .tape import Tape
from .tensors import Gradients, Tensor, Weight


def with_sinks(tape: Tape, q: Tensor, k: Tensor, v: Tensor, shape: Heads, sinks: Weight) -> Tensor:
    """Queries against keys and sinks, in the width of the scores or of the sinks, whichever is more; the sinks' share is dropped."""
    if shape.groups > 1:
        k = ops.repeated(tape, k, shape.groups, shape.kv_heads > 1)
        v = ops.repeated(tape, v, shape.groups, shape.kv_heads > 1)
    weights = ops.shifted(tape, kernels.scores_of(tape, q, k, shape.rows * shape.tokens, shape))
    weights = ops.to(tape, weights, max(weights.width, sinks.width))
    chances = ops.softmax(tape, _less_highest(tape, _joined(tape, weights, sinks, shape), shape))
    whole, width = chances.elements, chances.width
    kept = tape.seen(chances, lambda gradients: [tape.new(whole, width, "slice in a whole")], shape.rows * shape.tokens)
    return ops.copied(tape, ops.batched(tape, ops.to(tape, kept, v.width), v, shape.rows * shape.value_dim))


def _joined(tape: Tape, weights: Tensor, sinks: Weight, shape: Heads) -> Tensor:
    """Scores and a sink a row in one tensor; the sinks' gradients are summed over rows."""
    scores, heads, width = weights.elements, sinks.elements, sinks.width
    column = tape.seen(ops.leaf(tape, sinks), lambda gradients: [tape.new(heads, width, "summed")], shape.rows)

    def split(gradients: Gradients) -> Gradients:
        (gradient,) = gradients
        assert gradient is not None
        return [gradient.view(elements=scores), gradient.view(elements=shape.rows)]

    return tape.one("scores and sinks joined", scores + shape.rows, weights.width, (weights, column), split)


def _less_highest(tape: Tape, x: Tensor, shape: Heads) -> Tensor:
    """Less the highest of each row, whose gradient is put back where it stood."""
    whole, width, rows = x.elements, x.width, shape.rows

    def put_back(gradients: Gradients) -> Gradients:
        zeros = tape.new(whole, width, "scattered")  # noqa: F841 - both are alive while the result is made
        return [tape.new(whole, width, "scattered")]

    def apart(gradients: Gradients) -> Gradients:
        gradient = gradients[0]
        assert gradient is not None
        negative = tape.new(gradient.elements, width, "negative")
        summed = tape.new(rows, width, "summed")
        del negative
        return [gradient, summed]

    highest = tape.apply("highest", ((rows, width), (rows, 8)), (x,), put_back, (), 1)[0]
    return tape.one("difference", whole, width, (x, highest), apart)
