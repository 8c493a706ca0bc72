"""Weights as tensors of a step: no bytes of their own, a gradient that stays, the copies that autocast makes."""

from __future__ import annotations

from ..tape import Tape
from ..tensors import ACCUMULATES, PENDING, Gradients, Node, Storage, Tensor, Weight
from .elementwise import to

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
