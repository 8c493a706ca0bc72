"""Operations that answer a number a number: casts, sums, products, powers, activations, dropout."""

from __future__ import annotations

from sizeup.figure import Number

from ..tape import Tape
from ..tensors import Gradients, Tensor


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


def clamped(tape: Tape, x: Tensor) -> Tensor:
    """`clamp`: keeps its input; backward makes a mask of its size and the gradient."""
    elements, width = x.elements, x.width

    def run(gradients: Gradients) -> Gradients:
        mask = tape.new(elements, 1, "mask")  # noqa: F841 - alive while the result is made
        return [tape.new(elements, width, "clamped")]

    return tape.one("clamped", elements, width, (x,), run, (x,))


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


def cube(tape: Tape, x: Tensor) -> Tensor:
    """`x.pow(3)`."""
    return square(tape, x)


def _expression(tape: Tape, gradients: Gradients, temporaries: int, name: str) -> Gradients:
    """A C++ expression over the gradient: its temporaries live to its end, the last is the result."""
    made = [fresh(tape, gradients[0], name) for _ in range(temporaries)]
    return [made[-1]]


def activation(tape: Tape, x: Tensor, name: str, keeps_result: bool = False) -> Tensor:
    """An activation with a kernel of its own (silu, gelu, tanh): keeps its input, or its result."""
    keeps = () if keeps_result else (x,)
    return tape.one(name, x.elements, x.width, (x,), lambda gradients: [fresh(tape, gradients[0], name)], keeps, keeps_result)


def dropout(tape: Tape, x: Tensor) -> Tensor:
    """Keeps a mask of one byte a value."""
    made = ((x.elements, x.width), (x.elements, 1))
    return tape.apply("dropout", made, (x,), lambda gradients: [fresh(tape, gradients[0], "dropout backward")], (), 1)[0]


def minimum(tape: Tape, x: Tensor) -> Tensor:
    """The smaller of each number and one that is not trained: keeps its input; backward halves where both are equal, then masks."""
    elements, width = x.elements, x.width

    def run(gradients: Gradients) -> Gradients:
        mask = tape.new(elements, 1, "mask")
        halves = tape.new(elements, width, "minimum")
        made = tape.new(elements, width, "minimum")
        del halves, mask
        return [made]

    return tape.one("minimum", elements, width, (x,), run, (x,))


def expm1(tape: Tape, x: Tensor) -> Tensor:
    """e to the x, less one: keeps its result; backward adds one to it and multiplies."""
    return tape.one("expm1", x.elements, x.width, (x,), lambda gradients: _expression(tape, gradients, 2, "expm1"), keeps_result=True)


def less(tape: Tape, a: Tensor, b: Tensor) -> Tensor:
    """A difference: the second's gradient is the negative one."""
    needed = (a.edge is not None, b.edge is not None)

    def run(gradients: Gradients) -> Gradients:
        return [gradients[0] if needed[0] else None, fresh(tape, gradients[0], "negative") if needed[1] else None]

    return tape.one("difference", a.elements, max(a.width, b.width), (a, b), run)


def chosen(tape: Tape, mask: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """`where`: keeps the mask; each side's gradient has zeros in the other's places."""
    width = max(a.width, b.width)
    needed = (a.edge is not None, b.edge is not None)

    def run(gradients: Gradients) -> Gradients:
        return [fresh(tape, gradients[0], "chosen") if need else None for need in needed]

    return tape.one("chosen", a.elements, width, (a, b), run, (mask,))
