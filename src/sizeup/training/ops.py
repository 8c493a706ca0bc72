"""The operations of training steps: what each allocates, keeps for its backward, and allocates there.

Each function does what the PyTorch operation of its name does on CUDA (torch 2.13, derivatives.yaml), bytes only.
Gradients of several inputs are made in the order of PyTorch's generated code, which decides what is alive with what.
"""

from __future__ import annotations

from collections.abc import Callable

from sizeup.figure import Number, plain

from .tape import ACCUMULATES, PENDING, Gradients, Node, Storage, Tape, Tensor, Weight

NOTHING = Storage.__new__(Storage)
"""The storage of weights, which are counted outside the tape."""
NOTHING.tape, NOTHING.bytes, NOTHING.part, NOTHING.name = Tape(), 0, "", ""
NOTHING.tape.live[""] = 0


def leaf(tape: Tape, weight: Weight) -> Tensor:
    """A weight as a tensor of no bytes of its own, with the node that adds to its gradient when it is trained."""
    stand_in = Tensor(NOTHING, weight.elements, weight.width)
    if weight.trained:
        stand_in.edge = PENDING if tape.filling else (Node(ACCUMULATES, (), 1, lambda gradients: _accumulate(tape, weight, gradients)), 0)
    return stand_in


def _accumulate(tape: Tape, weight: Weight, gradients: Gradients) -> Gradients:
    arrived = gradients.pop()
    if arrived is None:
        return []
    if weight.uses > 1:
        weight.uses -= 1
        weight.pending = arrived
        return []
    if weight.pending is not None:
        arrived = tape.new(arrived.elements, arrived.width, "gradients of tied weights added")
        weight.pending = None
    if not tape.accumulated:
        arrived.storage.move("gradients")
        tape.gradients.append(arrived.storage)
    return []


def weight_of(tape: Tape, weight: Weight, width: int) -> Tensor:
    """A weight in the number width an operation wants: itself, or autocast's copy (kept till the region ends when it is trained)."""
    if weight.cast is not None:
        return weight.cast
    plain_leaf = leaf(tape, weight)
    if weight.width == width:
        return plain_leaf
    copy = to(tape, plain_leaf, width, "16-bit copy of a weight")
    if weight.trained and tape.casting:
        weight.cast = copy
        tape.copies.append(weight)
    return copy


def fresh(tape: Tape, x: Tensor | None, name: str, width: int | None = None) -> Tensor:
    """A new tensor as large as `x`."""
    assert x is not None
    return tape.new(x.elements, width or x.width, name)


def to(tape: Tape, x: Tensor, width: int, name: str = "cast") -> Tensor:
    """Another number width; nothing when it is that already."""
    if x.width == width:
        return x
    before = x.width
    return tape.one(name, x.elements, width, (x,), lambda gradients: [fresh(tape, gradients[0], "cast", before)])


def view(tape: Tape, x: Tensor) -> Tensor:
    """Other shape, same bytes: the gradient passes as a view too."""
    return tape.seen(x, list)


def reordered(tape: Tape, x: Tensor) -> Tensor:
    """A view whose gradient comes back in another order of dimensions and has to be copied."""
    return tape.seen(x, lambda gradients: [fresh(tape, gradients[0], "copied into order")])


def copied(tape: Tape, x: Tensor) -> Tensor:
    """A copy in another order of dimensions (`contiguous`, `clone`); its gradient is a view."""
    return tape.one("copied into order", x.elements, x.width, (x,), list)


def add(tape: Tape, a: Tensor, b: Tensor) -> Tensor:
    """A sum; both inputs get the same gradient, each in its own width."""
    sides = ((a.width, a.edge is not None), (b.width, b.edge is not None))

    def run(gradients: Gradients) -> Gradients:
        (gradient,) = gradients
        assert gradient is not None
        return [
            None if not need else gradient if gradient.width == width else fresh(tape, gradient, "cast", width) for width, need in sides
        ]

    return tape.one("sum", a.elements, max(a.width, b.width), (a, b), run)


def scaled(tape: Tape, x: Tensor, name: str = "scaled") -> Tensor:
    """Times a plain number: backward makes one more tensor of the same size."""
    return tape.one(name, x.elements, x.width, (x,), lambda gradients: [fresh(tape, gradients[0], name)], keeps_numbers=1)


def shifted(tape: Tape, x: Tensor) -> Tensor:
    """Plus a plain number: a new tensor forwards, the same gradient backwards."""
    return tape.one("sum", x.elements, x.width, (x,), list)


def mul(tape: Tape, a: Tensor, b: Tensor, broadcast: str = "", name: str = "product") -> Tensor:
    """A product; each factor is kept when the other needs a gradient. A factor that is `broadcast` ("a" or "b") gets its
    gradient made whole and then summed. Backward makes the second factor's gradient first."""
    whole = b.elements if broadcast == "a" else a.elements
    sides = [(t.elements, t.width, t.edge is not None, other.width) for t, other in ((a, b), (b, a))]

    def run(gradients: Gradients) -> Gradients:
        (gradient,) = gradients
        assert gradient is not None
        made: Gradients = [None, None]
        for side in (1, 0):
            if sides[side][2]:
                made[side] = tape.new(whole, max(gradient.width, sides[side][3]), name)
        for side in (0, 1):
            made[side] = _fitted(tape, made[side], sides[side][0], sides[side][1], broadcast == "ab"[side])
        return made

    keeps = (*((a,) if tape.needs(b) else ()), *((b,) if tape.needs(a) else ()))
    return tape.one(name, whole, max(a.width, b.width), (a, b), run, keeps)


def _fitted(tape: Tape, x: Tensor | None, elements: Number, width: int, broadcast: bool) -> Tensor | None:
    if x is None:
        return None
    if broadcast:
        x = tape.new(elements, x.width, "summed")
    return x if x.width == width else fresh(tape, x, "cast", width)


def square(tape: Tape, x: Tensor) -> Tensor:
    """`x.pow(2)`: keeps x; backward makes x to the first, twice it, and the product."""
    return tape.one("power", x.elements, x.width, (x,), lambda gradients: _expression(tape, gradients, 3, "power"), (x,))


def rsqrt(tape: Tape, x: Tensor) -> Tensor:
    """One over the root: keeps its result."""
    return tape.one("rsqrt", x.elements, x.width, (x,), lambda gradients: _expression(tape, gradients, 3, "rsqrt"), keeps_result=True)


def _expression(tape: Tape, gradients: Gradients, temporaries: int, name: str) -> Gradients:
    """A C++ expression over the gradient: its temporaries live to its end, the last is the result."""
    made = [fresh(tape, gradients[0], name) for _ in range(temporaries)]
    return [made[-1]]


def mean(tape: Tape, x: Tensor, rows: Number) -> Tensor:
    """The mean over the last dimension, one number a row; its gradient is made whole."""
    whole, width = x.elements, x.width
    return tape.one("mean", rows, width, (x,), lambda gradients: [tape.new(whole, width, "mean")])


def activation(tape: Tape, x: Tensor, name: str, keeps_result: bool = False) -> Tensor:
    """An activation with a kernel of its own (silu, gelu, tanh): keeps its input, or its result."""
    keeps = () if keeps_result else (x,)
    return tape.one(name, x.elements, x.width, (x,), lambda gradients: [fresh(tape, gradients[0], name)], keeps, keeps_result)


def halves_swapped(tape: Tape, x: Tensor) -> Tensor:
    """`cat(-x2, x1)` of the two halves: rotary embedding's rotation. Backward puts each half into a whole tensor of zeros."""
    whole, width = x.elements, x.width
    half = whole // 2
    first = tape.seen(x, lambda gradients: [tape.new(whole, width, "half in a whole")], half)
    second = tape.seen(x, lambda gradients: [tape.new(whole, width, "half in a whole")], half)
    negative = tape.one("negative", half, width, (second,), lambda gradients: [tape.new(half, width, "negative")])

    def split(gradients: Gradients) -> Gradients:
        (gradient,) = gradients
        assert gradient is not None
        return [gradient.view(elements=half), gradient.view(elements=half)]

    return tape.one("halves joined", whole, width, (negative, first), split)


def pieces(tape: Tape, x: Tensor, *sizes: Number) -> list[Tensor]:
    """`split`/`chunk`: views; backward joins the pieces' gradients in one new tensor."""
    whole, width = x.elements, x.width
    views = [x.view(elements=size) for size in sizes]
    if tape.needs(x):
        node = None if tape.filling else tape.node((x,), lambda gradients: [tape.new(whole, width, "pieces joined")], len(views))
        for index, piece in enumerate(views):
            piece.edge = PENDING if node is None else (node, index)
    return views


def dropout(tape: Tape, x: Tensor) -> Tensor:
    """Keeps a mask of one byte a value."""
    made = ((x.elements, x.width), (x.elements, 1))
    return tape.apply("dropout", made, (x,), lambda gradients: [fresh(tape, gradients[0], "dropout backward")], (), 1)[0]


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


def embedding(tape: Tape, weight: Weight, rows: Number, width: Number) -> Tensor:
    """Rows picked from the table; the table's gradient is as large as the table."""
    table = leaf(tape, weight)
    whole, number = weight.elements, weight.width
    return tape.one("embedding", rows * width, number, (table,), lambda gradients: [tape.new(whole, number, "embedding backward")])


def positions(tape: Tape, tokens: Number) -> Tensor:
    """`arange(tokens) + 0`: 64-bit numbers."""
    counted = tape.new(tokens, 8, "positions")
    return tape.new(counted.elements, 8, "positions")


def repeated(tape: Tape, x: Tensor, times: int, copy: bool = True) -> Tensor:
    """Each key/value head given to its query heads: a copy, or a view that repeats; backward sums what came back."""
    elements, width = x.elements, x.width
    whole = elements * times
    if not copy:
        return tape.seen(x, lambda gradients: [tape.new(elements, width, "summed")], whole)
    return tape.one("repeated heads", whole, width, (x,), lambda gradients: [tape.new(elements, width, "summed")])


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


def softmax(tape: Tape, x: Tensor, width: int = 0) -> Tensor:
    """Keeps its result, in `width` when that is not the input's. On CUDA its backward multiplies gradient and result into a
    temporary as wide as the result first."""
    elements, before, after = x.elements, x.width, width or x.width

    def run(gradients: Gradients) -> Gradients:
        made = tape.new(elements, before, "softmax backward")
        tape.note("softmax backward", elements * after)
        return [made]

    return tape.one("softmax", elements, after, (x,), run, keeps_result=True)


def cube(tape: Tape, x: Tensor) -> Tensor:
    """`x.pow(3)`."""
    return square(tape, x)


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


def positions_embedded(tape: Tape, weight: Weight, tokens: Number, batch: Number, width: Number) -> Tensor:
    """Learned positions: one row a position, shared by the sequences of the batch, whose gradients are summed."""
    rows = embedding(tape, weight, tokens, width)
    if not plain(batch) > 1:
        return rows
    elements, number = rows.elements, rows.width
    return tape.seen(rows, lambda gradients: [tape.new(elements, number, "summed")])


def slices(tape: Tape, x: Tensor, *sizes: Number) -> list[Tensor]:
    """Views cut out one by one: each one's gradient is put into a whole tensor of zeros, and those are added."""
    whole, width = x.elements, x.width
    return [tape.seen(x, lambda gradients: [tape.new(whole, width, "slice in a whole")], size) for size in sizes]


def through_slice(tape: Tape, x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """`cat(f(x[..., :n]), x[..., n:])` where the second part is empty, as Phi-3 rotates."""
    (part,), (passed,) = slices(tape, x, x.elements), slices(tape, x, 0)
    done = function(part)
    return tape.one("joined", x.elements, x.width, (done, passed), lambda gradients: [gradients[0], gradients[0]])


def through_part(tape: Tape, x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """`cat(f(x[..., :n]), x[..., n:])` with half of each head on either side, as Phi and GPT-NeoX rotate."""
    half, whole = x.elements // 2, x.elements
    (part,), (passed,) = slices(tape, x, half), slices(tape, x, half)
    done = function(part)

    def split(gradients: Gradients) -> Gradients:
        gradient = gradients[0]
        assert gradient is not None
        return [gradient.view(elements=half), gradient.view(elements=half)]

    return tape.one("joined", whole, x.width, (done, passed), split)
