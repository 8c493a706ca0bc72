"""Views, copies and pieces of tensors, and the rotation made of them."""

from __future__ import annotations

from collections.abc import Callable

from sizeup.figure import Number

from ..tape import Tape
from ..tensors import PENDING, Gradients, Tensor
from .elementwise import fresh


def view(tape: Tape, x: Tensor) -> Tensor:
    """Other shape, same bytes: the gradient passes as a view too."""
    return tape.seen(x, list)


def reordered(tape: Tape, x: Tensor) -> Tensor:
    """A view whose gradient comes back in another order of dimensions and has to be copied."""
    return tape.seen(x, lambda gradients: [fresh(tape, gradients[0], "copied into order")])


def copied(tape: Tape, x: Tensor) -> Tensor:
    """A copy in another order of dimensions (`contiguous`, `clone`); its gradient is a view."""
    return tape.one("copied into order", x.elements, x.width, (x,), list)


def repeated(tape: Tape, x: Tensor, times: int, copy: bool = True) -> Tensor:
    """Each key/value head given to its query heads: a copy, or a view that repeats; backward sums what came back."""
    elements, width = x.elements, x.width
    whole = elements * times
    if not copy:
        return tape.seen(x, lambda gradients: [tape.new(elements, width, "summed")], whole)
    return tape.one("repeated heads", whole, width, (x,), lambda gradients: [tape.new(elements, width, "summed")])


def pieces(tape: Tape, x: Tensor, *sizes: Number) -> list[Tensor]:
    """`split`/`chunk`: views; backward joins the pieces' gradients in one new tensor."""
    whole, width = x.elements, x.width
    views = [x.view(elements=size) for size in sizes]
    if tape.needs(x):
        node = None if tape.filling else tape.node((x,), lambda gradients: [tape.new(whole, width, "pieces joined")], len(views))
        for index, piece in enumerate(views):
            piece.edge = PENDING if node is None else (node, index)
    return views


def slices(tape: Tape, x: Tensor, *sizes: Number) -> list[Tensor]:
    """Views cut out one by one: each one's gradient is put into a whole tensor of zeros, and those are added."""
    whole, width = x.elements, x.width
    return [tape.seen(x, lambda gradients: [tape.new(whole, width, "slice in a whole")], size) for size in sizes]


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
