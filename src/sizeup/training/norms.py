"""Norms, as the families' code writes them out."""

from __future__ import annotations

from sizeup.figure import Number

from . import ops
from .run import Run
from .tape import Tape
from .tensors import Gradients, Tensor, Weight


def norm(run: Run, x: Tensor, weights: tuple[Weight, ...], rows: Number) -> Tensor:
    """The family's norm over `rows` rows."""
    if run.manner.norm == "bare":
        return ops.to(run.tape, ops.layer_norm(run.tape, ops.to(run.tape, x, 4), (), rows), x.width)
    if run.manner.norm == "layer" or len(weights) > 1:
        return ops.layer_norm(run.tape, x, weights, rows)
    if run.manner.norm == "centred":
        return centred_norm(run.tape, x, weights[0], rows)
    if run.manner.norm == "gemma":
        return gemma_norm(run.tape, x, weights[0], rows)
    return rms_norm(run.tape, x, weights[0], rows, run.manner.norm == "rms32")


def rms_norm(tape: Tape, x: Tensor, weight: Weight, rows: Number, wide: bool = False) -> Tensor:
    """Llama's RMSNorm: statistics in fp32, the weight applied in the input's width, or `wide` in fp32 too."""
    width = x.width
    x = ops.to(tape, x, 4)
    variance = ops.mean(tape, ops.square(tape, x), rows)
    x = ops.mul(tape, x, ops.rsqrt(tape, ops.shifted(tape, variance)), broadcast="b")
    if wide:
        return ops.to(tape, ops.mul(tape, ops.leaf(tape, weight), x, broadcast="a"), width)
    return ops.mul(tape, ops.leaf(tape, weight), ops.to(tape, x, width), broadcast="a")


def gemma_norm(tape: Tape, x: Tensor, weight: Weight, rows: Number) -> Tensor:
    """Gemma's RMSNorm: all of it in fp32, the weight too."""
    output = normalised(tape, ops.to(tape, x, 4), rows)
    output = ops.mul(tape, output, ops.shifted(tape, ops.to(tape, ops.leaf(tape, weight), 4)), broadcast="b")
    return ops.to(tape, output, x.width)


def normalised(tape: Tape, x: Tensor, rows: Number) -> Tensor:
    """Divided by the root of its mean square, without a weight."""
    return ops.mul(tape, x, ops.rsqrt(tape, ops.shifted(tape, ops.mean(tape, ops.square(tape, x), rows))), broadcast="b")


def centred_norm(tape: Tape, x: Tensor, weight: Weight, rows: Number) -> Tensor:
    """Cohere's LayerNorm without a bias, written out in fp32: the mean is taken away twice, for the variance and for the result."""
    width = x.width
    x = ops.to(tape, x, 4)
    mean = ops.mean(tape, x, rows)
    variance = ops.mean(tape, ops.square(tape, _centred(tape, x, mean, rows)), rows)
    x = ops.mul(tape, _centred(tape, x, mean, rows), ops.rsqrt(tape, ops.shifted(tape, variance)), broadcast="b")
    return ops.to(tape, ops.mul(tape, ops.to(tape, ops.leaf(tape, weight), 4), x, broadcast="a"), width)


def _centred(tape: Tape, x: Tensor, mean: Tensor, rows: Number) -> Tensor:
    """Less the row's mean, whose gradient is made whole, negative, and summed."""

    def run(gradients: Gradients) -> Gradients:
        gradient = gradients[0]
        assert gradient is not None
        negative = tape.new(gradient.elements, 4, "negative")
        summed = tape.new(rows, 4, "summed")
        del negative
        return [gradient, summed]

    return tape.one("difference", x.elements, 4, (x, mean), run)
