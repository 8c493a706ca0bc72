"""Operations along a row: means, softmax, LayerNorm."""

from __future__ import annotations

from sizeup.figure import Number

from ..tape import Tape
from ..tensors import Gradients, Tensor, Weight
from .elementwise import to
from .leaves import leaf


def mean(tape: Tape, x: Tensor, rows: Number) -> Tensor:
    """The mean over the last dimension, one number a row; its gradient is made whole."""
    whole, width = x.elements, x.width
    return tape.one("mean", rows, width, (x,), lambda gradients: [tape.new(whole, width, "mean")])


def softmax(tape: Tape, x: Tensor, width: int = 0) -> Tensor:
    """Keeps its result, in `width` when that is not the input's. On CUDA its backward multiplies gradient and result into a
    temporary as wide as the result first."""
    elements, before, after = x.elements, x.width, width or x.width

    def run(gradients: Gradients) -> Gradients:
        made = tape.new(elements, before, "softmax backward")
        tape.note("softmax backward", elements * after)
        return [made]

    return tape.one("softmax", elements, after, (x,), run, keeps_result=True)


def layer_norm(tape: Tape, x: Tensor, weights: tuple[Weight, ...], rows: Number) -> Tensor:
    """LayerNorm's kernel: keeps its input and two fp32 numbers a row."""
    x = to(tape, x, 4) if tape.casting else x
    tensors = tuple(leaf(tape, weight) for weight in weights)
    sizes = [(t.elements, t.width) for t in (x, *tensors) if t.edge is not None]
    needed = [t.edge is not None for t in (x, *tensors)]

    def run(gradients: Gradients) -> Gradients:
        made = iter(tape.several("layer norm backward", *sizes))
        return [next(made) if need else None for need in needed]

    return tape.apply("layer norm", ((x.elements, x.width), (rows, 4), (rows, 4)), (x, *tensors), run, (x, *tensors), 2)[0]
