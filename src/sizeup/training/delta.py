"""Linear attention with a gated delta rule under training (Qwen3.5), as transformers runs it without flash-linear-attention.

Sequences are padded to chunks of 64. Inside the chunks all is done at once in fp32; between them a loop carries the state.
"""

from __future__ import annotations

from dataclasses import dataclass

from sizeup.figure import Number, plain, round_up

from . import ops
from .convolution import causal
from .linear import Linear, linear
from .norms import normalised
from .run import Run
from .tape import Tape
from .tensors import PENDING, Gradients, Tensor, Weight

CHUNK = 64


@dataclass(frozen=True, slots=True)
class GatedDelta:
    """Projections of queries, keys and values in one, of the output gate, of the rate (beta) and of the decay (alpha)."""

    key_heads: int
    value_heads: int
    key_dim: int
    value_dim: int
    kernel: int
    qkv: Linear
    gate: Linear
    rate: Linear
    decay: Linear
    convolution: Weight
    decay_bias: Weight
    decay_log: Weight
    norm: Weight
    output: Linear


def gated_delta(run: Run, x: Tensor, part: GatedDelta) -> Tensor:
    """Project, convolve, run the rule, norm and gate, project."""
    tape, rows = run.tape, run.rows
    keys, values = part.key_heads * part.key_dim, part.value_heads * part.value_dim
    joined = linear(tape, x, part.qkv, rows)
    gate = linear(tape, x, part.gate, rows)
    rate, decay = linear(tape, x, part.rate, rows), linear(tape, x, part.decay, rows)
    joined = ops.activation(tape, causal(run, joined, part.convolution, None, 2 * keys + values, part.kernel), "silu")
    q, k, v = ops.pieces(tape, joined, rows * keys, rows * keys, rows * values)
    del joined
    rate = ops.activation(tape, rate, "sigmoid", keeps_result=True)
    speed = ops.scaled(tape, _exp(tape, ops.to(tape, ops.leaf(tape, part.decay_log), 4)))
    steps = ops.activation(tape, _biased(tape, ops.to(tape, decay, 4), ops.leaf(tape, part.decay_bias)), "softplus")
    decay = ops.mul(tape, speed, steps, broadcast="a")
    times = part.value_heads // part.key_heads
    if times > 1:
        q, k = ops.repeated(tape, q, times), ops.repeated(tape, k, times)
    width = q.width
    result = _rule(run, part, q, k, v, rate, decay)
    result = ops.to(tape, result, width) if width != 4 else ops.copied(tape, result)
    wide = normalised(tape, ops.to(tape, result, 4), rows * part.value_heads)
    result = ops.mul(tape, ops.leaf(tape, part.norm), ops.to(tape, wide, width), broadcast="a")
    result = ops.mul(tape, result, ops.activation(tape, ops.to(tape, gate, 4), "silu"))
    return linear(tape, ops.to(tape, result, width), part.output, rows)


def _rule(run: Run, part: GatedDelta, q: Tensor, k: Tensor, v: Tensor, rate: Tensor, decay: Tensor) -> Tensor:
    """The chunked rule; all numbers are fp32."""
    tape = run.tape
    q, k, v, rate, decay = (_contiguous(tape, x) for x in (q, k, v, rate, decay))
    cells = run.batch * part.value_heads * round_up(run.tokens, CHUNK)
    heads = run.batch * part.value_heads * run.tokens
    q, k = _unit(tape, q, heads), _unit(tape, k, heads)
    q = ops.scaled(tape, q)
    q, k, v = _padded(tape, q, cells * part.key_dim), _padded(tape, k, cells * part.key_dim), _padded(tape, v, cells * part.value_dim)
    rate, decay = _padded(tape, rate, cells), _padded(tape, decay, cells)
    v_rate, k_rate = ops.mul(tape, v, rate, broadcast="b"), ops.mul(tape, k, rate, broadcast="b")
    summed = tape.one("cumulative sum", cells, 4, (decay,), lambda gradients: [ops.fresh(tape, gradients[0], "cumulative sum")])
    pairs = cells * CHUNK
    between = _exp(tape, _masked(tape, _differences(tape, summed, pairs)))
    system = ops.mul(tape, ops.batched(tape, k_rate, k, pairs), between)
    inside = ops.mul(tape, ops.batched(tape, q, k, pairs), between)
    k_rate = ops.mul(tape, k_rate, _exp(tape, summed), broadcast="b")
    new_values, read_keys = _solved(tape, system, v_rate), _solved(tape, system, k_rate)
    del v_rate, k_rate, system, between, v, rate, decay
    state = tape.new(run.batch * part.value_heads * part.key_dim * part.value_dim, 4, "state")
    result = tape.new(new_values.elements, 4, "result")
    q = ops.mul(tape, q, _exp(tape, summed), broadcast="b")
    k = ops.mul(tape, k, _exp(tape, ops.shifted(tape, summed)), broadcast="b")
    chunks = int(plain(round_up(run.tokens, CHUNK))) // CHUNK
    last = _exp(tape, summed.view(summed.edge, cells // CHUNK))
    return _carried(tape, chunks, (q, k, new_values, read_keys, inside, last), state, result)


def _carried(tape: Tape, chunks: int, whole: tuple[Tensor, ...], state: Tensor, result: Tensor) -> Tensor:
    """The loop over chunks: each reads the state, writes its piece of the result in place, and makes the next state."""
    q, k, new_values, read_keys, inside, last = whole
    each, piece = state.elements, result.elements // chunks
    for _ in range(chunks):
        seen = ops.batched(tape, _chunk(tape, read_keys, chunks), state, piece)
        values = _difference(tape, _chunk(tape, new_values, chunks), seen)
        del seen
        read = ops.batched(tape, _chunk(tape, q, chunks), state, piece)
        read = ops.add(tape, read, ops.batched(tape, _chunk(tape, inside, chunks), values, piece))
        result = _written(tape, result, read)
        del read
        kept = ops.mul(tape, state, _chunk(tape, last, chunks), broadcast="b")
        state = ops.add(tape, kept, ops.batched(tape, _chunk(tape, k, chunks), values, each))
        del kept, values
    return result


def _contiguous(tape: Tape, x: Tensor) -> Tensor:
    return ops.copied(tape, x) if x.width == 4 else ops.to(tape, x, 4)


def _exp(tape: Tape, x: Tensor) -> Tensor:
    return ops.activation(tape, x, "exponential", keeps_result=True)


def _biased(tape: Tape, x: Tensor, bias: Tensor) -> Tensor:
    """Plus a vector, whose gradient is summed and cast."""
    size, width = bias.elements, bias.width

    def run(gradients: Gradients) -> Gradients:
        return [gradients[0], tape.new(size, width, "summed")]

    return tape.one("sum", x.elements, x.width, (x, bias), run)


def _unit(tape: Tape, x: Tensor, rows: Number) -> Tensor:
    """Divided by its length: a product with itself, whose sum's gradient is a view."""
    squares = ops.mul(tape, x, x)
    whole = squares.elements

    def spread(gradients: Gradients) -> Gradients:
        (gradient,) = gradients
        assert gradient is not None
        return [gradient.view(elements=whole)]

    lengths = tape.one("sum", rows, 4, (squares,), spread)
    del squares
    return ops.mul(tape, x, ops.rsqrt(tape, ops.shifted(tape, lengths)), broadcast="b")


def _padded(tape: Tape, x: Tensor, elements: Number) -> Tensor:
    before = x.elements
    return tape.one("padded", elements, 4, (x,), lambda gradients: [tape.new(before, 4, "padded")])


def _differences(tape: Tape, x: Tensor, pairs: Number) -> Tensor:
    """Every position of a chunk less every other."""
    size = x.elements

    def run(gradients: Gradients) -> Gradients:
        whole = tape.new(pairs, 4, "differences")
        made = [tape.new(size, 4, "summed"), tape.new(size, 4, "summed")]
        del whole
        return list(made)

    return tape.one("differences", pairs, 4, (x, x), run)


def _masked(tape: Tape, x: Tensor) -> Tensor:
    return tape.one("masked", x.elements, 4, (x,), lambda gradients: [ops.fresh(tape, gradients[0], "masked")])


def _difference(tape: Tape, a: Tensor, b: Tensor) -> Tensor:
    """Minus: the second's gradient is the negative."""
    return tape.one("sum", a.elements, 4, (a, b), lambda gradients: [gradients[0], ops.fresh(tape, gradients[0], "negative")])


def _solved(tape: Tape, system: Tensor, right: Tensor) -> Tensor:
    """A triangular system's solution, kept with the system."""
    size, whole = right.elements, system.elements

    def run(gradients: Gradients) -> Gradients:
        made = tape.new(size, 4, "triangular system")
        product = tape.new(whole, 4, "triangular system")
        negative = tape.new(whole, 4, "triangular system")
        del product
        triangle = tape.new(whole, 4, "triangular system")
        del negative
        return [triangle, made]

    return tape.one("triangular system", size, 4, (system, right), run, (system,), keeps_result=True)


def _chunk(tape: Tape, x: Tensor, chunks: int) -> Tensor:
    """One chunk of a whole: a view, whose gradient is put into a whole of zeros."""
    return ops.slices(tape, x, x.elements // chunks)[0]


def _written(tape: Tape, whole: Tensor, piece: Tensor) -> Tensor:
    """A piece written into the whole in place: backward copies the whole gradient and cuts the piece out."""
    if not tape.needs(whole, piece):
        return whole
    if tape.filling:
        return whole.view(PENDING)
    size, each = whole.elements, piece.elements

    def run(gradients: Gradients) -> Gradients:
        return [tape.new(size, 4, "gradient of a result"), tape.new(each, 4, "gradient of a result")]

    return whole.view((tape.node((whole, piece), run, 1), 0))
