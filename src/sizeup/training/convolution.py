"""Gated short convolutions under training (LFM2), as transformers runs them without the package causal-conv1d."""

from __future__ import annotations

from dataclasses import dataclass

from . import ops
from .linear import Linear, linear
from .run import Run
from .tape import Tape
from .tensors import Gradients, Tensor, Weight


@dataclass(frozen=True, slots=True)
class ShortConvolution:
    """Two gates and the values in one projection, a causal convolution of each channel between them."""

    hidden: int
    kernel: int
    inward: Linear
    weight: Weight
    bias: Weight | None
    outward: Linear


def short_convolution(run: Run, x: Tensor, part: ShortConvolution) -> Tensor:
    """Project, gate, convolve, gate, project."""
    tape, rows = run.tape, run.rows
    each = rows * part.hidden
    before, after, values = ops.pieces(tape, linear(tape, x, part.inward, rows), each, each, each)
    values = causal(run, ops.mul(tape, before, values), part.weight, part.bias, part.hidden, part.kernel)
    return linear(tape, ops.copied(tape, ops.mul(tape, after, values)), part.outward, rows)


def causal(run: Run, x: Tensor, weight: Weight, bias: Weight | None, channels: int, kernel: int) -> Tensor:
    """`conv1d` padded by kernel - 1 on both sides, of which the last outputs are cut off: keeps its input and the weight.

    Backward puts the gradient into a whole tensor of zeros, then makes those of input and weight.
    """
    tape = run.tape
    width = 2 if tape.casting else max(x.width, weight.width)
    x = ops.to(tape, x, width)
    weights = [ops.weight_of(tape, w, width) for w in (weight, *([bias] if bias else []))]
    whole = run.batch * channels * (run.tokens + kernel - 1)
    sizes = [(t.elements, t.edge is not None) for t in (x, *weights)]

    def run_backward(gradients: Gradients) -> Gradients:
        return [tape.new(elements, width, "gradient of a convolution") if needed else None for elements, needed in sizes]

    made = tape.one("convolution", whole, width, (x, *weights), run_backward, (x, weights[0]))
    return _cut(tape, made, x)


def _cut(tape: Tape, x: Tensor, like: Tensor) -> Tensor:
    return ops.slices(tape, x, like.elements)[0]
