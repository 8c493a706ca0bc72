"""Feed-forward parts under training: dense, and mixtures of experts through grouped products."""

from __future__ import annotations

from dataclasses import dataclass

from sizeup.figure import Number

from . import ops
from .linear import Adapter, Linear, linear
from .tape import Tape
from .tensors import Gradients, Tensor, Weight


@dataclass(frozen=True, slots=True)
class Dense:
    """Gate and up apart or in one matrix, or up alone; then down."""

    matrices: tuple[Linear, ...]
    down: Linear
    width: Number
    gated: bool = True
    activation: str = "silu"
    dropout: bool = False
    slopes: tuple[Weight, ...] = ()
    """Of xIELU: what it learns above and below zero."""


@dataclass(frozen=True, slots=True)
class Experts:
    """Routed experts in three-dimensional tensors, as transformers 5 stores them, and shared ones beside them."""

    experts: int
    used: int
    width: int
    hidden: int
    router: Weight
    gate_up: Weight
    down: Weight
    shared: Dense | None = None
    fp32_router: bool = False
    normalised: bool = True
    shared_gate: Linear | None = None
    router_adapter: Adapter | None = None
    gate_up_adapter: Adapter | None = None
    down_adapter: Adapter | None = None
    fp32_scores: bool = False
    biases: tuple[Weight, ...] = ()
    """Of the router, of gate and up, of down (gpt-oss); its gate is its own too."""


def dense(tape: Tape, x: Tensor, part: Dense, rows: Number) -> Tensor:
    """The part's output."""
    if not part.gated:
        x = linear(tape, x, part.matrices[0], rows)
        x = _xielu(tape, x, part.slopes) if part.activation == "xielu" else _activated(tape, x, part.activation)
        x = linear(tape, x, part.down, rows)
        return ops.dropout(tape, x) if part.dropout else x
    if len(part.matrices) == 1:
        both = linear(tape, x, part.matrices[0], rows)
        gate, up = ops.pieces(tape, both, rows * part.width, rows * part.width)
        up = ops.mul(tape, up, ops.activation(tape, gate, part.activation))
        return linear(tape, up, part.down, rows)
    gate_matrix, up_matrix = part.matrices
    return linear(
        tape,
        ops.mul(tape, ops.activation(tape, linear(tape, x, gate_matrix, rows), part.activation), linear(tape, x, up_matrix, rows)),
        part.down,
        rows,
    )


def _activated(tape: Tape, x: Tensor, name: str) -> Tensor:
    """An activation by its name; "gelu_new" is written out as GPT-2's code does."""
    if name == "relu":
        return ops.activation(tape, x, name, keeps_result=True)
    if name != "gelu_new":
        return ops.activation(tape, x, name)
    return ops.mul(
        tape,
        ops.scaled(tape, x),
        ops.shifted(
            tape,
            ops.activation(
                tape,
                ops.scaled(tape, ops.add(tape, x, ops.scaled(tape, ops.cube(tape, ops.to(tape, x, 4 if tape.casting else x.width))))),
                "tanh",
                keeps_result=True,
            ),
        ),
    )


def _xielu(tape: Tape, x: Tensor, slopes: tuple[Weight, ...]) -> Tensor:
    """xIELU as Apertus' code writes it out: a square above zero, an exponential below, and a line through both."""
    above, below = (ops.weight_of(tape, slope, slope.width) for slope in slopes)
    positive = tape.new(x.elements, 1, "mask")
    square = ops.mul(tape, ops.mul(tape, above, x, broadcast="a"), x)
    square = ops.add(tape, square, ops.scaled(tape, x))
    curve = ops.mul(tape, ops.less(tape, ops.expm1(tape, ops.minimum(tape, x)), x), below, broadcast="b")
    curve = ops.add(tape, curve, ops.scaled(tape, x))
    return ops.chosen(tape, positive, square, curve)


def experts(tape: Tape, x: Tensor, part: Experts, rows: Number) -> Tensor:
    """Routing, the grouped products over every (token, expert) pair, and the shared experts."""
    scores, choice = _routed(tape, x, part, rows)
    result = _grouped(tape, x, scores, choice, part, rows)
    if part.shared is not None:
        shared = dense(tape, x, part.shared, rows)
        if part.shared_gate is not None:
            gate = ops.activation(tape, linear(tape, x, part.shared_gate, rows), "sigmoid", keeps_result=True)
            shared = ops.mul(tape, gate, shared, broadcast="a")
        result = ops.add(tape, result, shared)
    return result


def _routed(tape: Tape, x: Tensor, part: Experts, rows: Number) -> tuple[Tensor, Tensor]:
    """Weights and indexes of the experts of every token."""
    pairs = rows * part.used
    if part.fp32_router:
        casting, tape.casting = tape.casting, False
        wide = ops.to(tape, x, 4)
        logits = _router(tape, wide, part, rows)
        tape.casting = casting
        if casting:
            logits = ops.to(tape, logits, 4)
    else:
        logits = _router(tape, x, part, rows)
    width = logits.width
    chances = ops.softmax(tape, ops.to(tape, logits, 4))
    whole = chances.elements

    def scatter(gradients: Gradients) -> Gradients:
        zeros = tape.new(whole, 4, "scattered")  # noqa: F841 - both are alive while the result is made
        return [tape.new(whole, 4, "scattered")]

    best, choice = tape.apply("top experts", ((pairs, 4), (pairs, 8)), (chances,), scatter, (), 1)
    if part.normalised:
        sums = ops.mean(tape, best, rows)
        best = ops.mul(tape, best, sums, broadcast="b")
    elif part.fp32_router:
        best = ops.scaled(tape, best)
    return (best if part.fp32_router or part.fp32_scores else ops.to(tape, best, width)), choice


def _router(tape: Tape, x: Tensor, part: Experts, rows: Number) -> Tensor:
    if part.router_adapter is None:
        return ops.matrix(tape, x, part.router, rows, part.experts, part.biases[0] if part.biases else None)
    width = x.width
    w = _adapted_weight(tape, part.router, part.router_adapter)
    return _grouped_matrix(tape, x, ops.to(tape, w, width), rows * part.experts)


def _grouped(tape: Tape, x: Tensor, scores: Tensor, choice: Tensor, part: Experts, rows: Number) -> Tensor:
    pairs = rows * part.used
    width = x.width
    for weight, adapter in ((part.down, part.down_adapter), (part.gate_up, part.gate_up_adapter)):
        # PEFT registers each parametrisation, and registering evaluates it once.
        _adapted_weight(tape, weight, adapter)
    sorted_pairs = tape.several("sorted pairs", (pairs, 8), (pairs, 8))
    token = tape.new(pairs, 8, "index")
    selected = _picked(tape, x, token, pairs * part.hidden)
    weights = _picked(tape, scores, sorted_pairs[1], pairs)
    both = _grouped_matrix(tape, selected, _adapted_weight(tape, part.gate_up, part.gate_up_adapter), pairs * 2 * part.width)
    if part.biases:
        both = _biased(tape, both, part.biases[1], sorted_pairs[0])
        out = _clamped_gate(tape, both, pairs * part.width)
    else:
        gate, up = ops.pieces(tape, both, pairs * part.width, pairs * part.width)
        out = ops.mul(tape, ops.activation(tape, gate, "silu"), up)
        del gate, up
    del both
    out = _grouped_matrix(tape, out, _adapted_weight(tape, part.down, part.down_adapter), pairs * part.hidden)
    if part.biases:
        out = _biased(tape, out, part.biases[2], sorted_pairs[0])
    weighted = ops.mul(tape, out, weights, broadcast="b")
    inverse = tape.new(pairs, 8, "index")
    weighted = _picked(tape, weighted, inverse, pairs * part.hidden)

    def expand(gradients: Gradients) -> Gradients:
        gradient = gradients[0]
        assert gradient is not None
        return [tape.new(pairs * part.hidden, gradient.width, "copied into order")]

    result = tape.one("pairs summed", rows * part.hidden, weighted.width, (weighted,), expand)
    return ops.to(tape, result, width)


def _biased(tape: Tape, x: Tensor, bias: Weight, index: Tensor) -> Tensor:
    """Each pair's row of its expert's bias, added in place."""
    rows = _picked(tape, ops.weight_of(tape, bias, x.width), index, x.elements)
    return tape.seen(x, lambda gradients: [gradients[0], gradients[0]], also=(rows,))


def _clamped_gate(tape: Tape, both: Tensor, elements: Number) -> Tensor:
    """gpt-oss's gate: two strided halves, clamped, gate x sigmoid(gate x alpha) x (up + 1)."""
    gate, up = (ops.clamped(tape, half) for half in ops.slices(tape, both, elements, elements))
    glu = ops.mul(tape, gate, ops.activation(tape, ops.scaled(tape, gate), "sigmoid", keeps_result=True))
    return ops.mul(tape, ops.shifted(tape, up), glu)


def _picked(tape: Tape, x: Tensor, index: Tensor, elements: Number) -> Tensor:
    """Rows picked by an index, which is kept; backward puts them into zeros, out of place."""
    whole, width = x.elements, x.width

    def run(gradients: Gradients) -> Gradients:
        zeros = tape.new(whole, width, "rows put back")  # noqa: F841 - both are alive while the result is made
        return [tape.new(whole, width, "rows put back")]

    return tape.one("rows picked", elements, width, (x,), run, (index,))


def _adapted_weight(tape: Tape, weight: Weight, adapter: Adapter | None) -> Tensor:
    """All experts' weights, with the product of the adapter's factors added to a copy of all of them (PEFT's ParamWrapper)."""
    if adapter is None:
        return ops.weight_of(tape, weight, 2 if tape.casting else weight.width)
    a, b = ops.weight_of(tape, adapter.down, weight.width), ops.weight_of(tape, adapter.up, weight.width)
    sizes, width = (a.elements, b.elements), weight.width

    def run(gradients: Gradients) -> Gradients:
        made: Gradients = []
        for elements in (sizes[1], sizes[0]):
            product = tape.new(elements, width, "gradient of a factor")
            made.append(tape.new(elements, width, "gradient of a factor"))
            del product
        return made[::-1]

    return tape.one("adapted weight", weight.elements, width, (a, b), run, (a, b))


def _grouped_matrix(tape: Tape, x: Tensor, w: Tensor, elements: Number) -> Tensor:
    """One product per expert in one call; backward makes the weights' gradient first."""
    width = w.width
    x = ops.to(tape, x, width)
    sides = [(t.elements, t.edge is not None) for t in (x, w)]

    def run(gradients: Gradients) -> Gradients:
        made: Gradients = [None, None]
        for side in (1, 0):
            if sides[side][1]:
                made[side] = tape.new(sides[side][0], width, "gradient of experts")
        return made

    keeps = (*((x,) if w.edge else ()), *((w,) if x.edge else ()))
    return tape.one("experts", elements, width, (x, w), run, keeps)
