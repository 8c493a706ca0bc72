"""Linear layers of a model under training: plain, quantised, with a low-rank adapter beside them."""

from __future__ import annotations

from dataclasses import dataclass

from sizeup.figure import Number

from . import ops
from .tape import Tape
from .tensors import Gradients, Tensor, Weight


@dataclass(frozen=True, slots=True)
class Adapter:
    """LoRA beside a linear layer, as PEFT runs it."""

    rank: int
    down: Weight
    up: Weight
    dropout: bool = False
    magnitude: Weight | None = None
    """DoRA's vector of column norms."""


@dataclass(frozen=True, slots=True)
class Linear:
    """`inputs` to `outputs` values."""

    inputs: Number
    outputs: Number
    weight: Weight
    bias: Weight | None = None
    adapter: Adapter | None = None


def linear(tape: Tape, x: Tensor, layer: Linear, rows: Number) -> Tensor:
    """The layer's output for `rows` rows."""
    if layer.weight.quantised:
        return _quantised(tape, x, layer, rows)
    result = ops.matrix(tape, x, layer.weight, rows, layer.outputs, layer.bias)
    if layer.adapter is None:
        return result
    # PEFT (LoraLayer.forward): every adapter casts its own copy of the input to the width of its weights.
    width = result.width
    x = ops.to(tape, x, layer.adapter.down.width)
    output = _adapted(tape, x, layer, layer.adapter, rows)
    if layer.adapter.magnitude is not None:
        output = _directed(tape, result, output, layer, layer.adapter.magnitude)
    return ops.to(tape, ops.add(tape, result, output), width)


def _adapted(tape: Tape, x: Tensor, layer: Linear, adapter: Adapter, rows: Number) -> Tensor:
    return ops.scaled(
        tape,
        ops.matrix(
            tape,
            ops.matrix(tape, ops.dropout(tape, x) if adapter.dropout else x, adapter.down, rows, adapter.rank),
            adapter.up,
            rows,
            layer.outputs,
        ),
    )


def _quantised(tape: Tape, x: Tensor, layer: Linear, rows: Number) -> Tensor:
    """bitsandbytes' Linear4bit: computes in 16 bits, answers in the width of its input, keeps nothing; its backward makes
    the whole weight in 16 bits for a moment. PEFT copies its result before the adapter is added."""
    result = _quantised_base(tape, x, layer, rows)
    if layer.adapter is None:
        return result
    result = ops.copied(tape, result)
    width = result.width
    convert = not tape.casting
    if convert:
        x = ops.to(tape, x, layer.adapter.down.width)
    output = _adapted(tape, x, layer, layer.adapter, rows)
    if layer.adapter.magnitude is not None:
        output = _directed(tape, result, output, layer, layer.adapter.magnitude)
    if convert:
        output = ops.to(tape, output, width)
    return ops.add(tape, result, output)


def _directed(tape: Tape, base: Tensor, output: Tensor, layer: Linear, magnitude: Weight) -> Tensor:
    """DoRA (derived from PEFT's code; a traced step agrees to the byte): the sum's direction times a learned length per output. The norms are
    taken of a whole weight, detached; base output and low-rank output are both kept for the lengths' gradient."""
    whole = tape.new(layer.weight.elements, output.width, "whole weight of DoRA")
    merged = tape.new(layer.weight.elements, output.width, "whole weight of DoRA")
    del whole, merged
    lengths = ops.to(tape, ops.leaf(tape, magnitude), output.width)
    scaled_base = ops.mul(tape, base, lengths, broadcast="b")
    return ops.add(tape, scaled_base, ops.mul(tape, output, lengths, broadcast="b"))


def _quantised_base(tape: Tape, x: Tensor, layer: Linear, rows: Number) -> Tensor:
    width = x.width
    x = ops.to(tape, x, 2)
    elements, whole = x.elements, layer.weight.elements

    def run(gradients: Gradients) -> Gradients:
        weight = tape.new(whole, 2, "dequantised weight")  # noqa: F841 - alive while the product is made
        return [tape.new(elements, 2, "gradient of a matrix")]

    result = tape.one("matrix", rows * layer.outputs, 2, (x,), run)
    return ops.to(tape, result, width)
