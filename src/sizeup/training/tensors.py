"""What a tape is about: bytes that are allocated, tensors that share them, weights, and the nodes that lead back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from sizeup.figure import Number, round_up

if TYPE_CHECKING:
    from .again import Again
    from .tape import Tape

CELL = 512
"""The CUDA caching allocator rounds every allocation up to this many bytes (c10/cuda/CUDACachingAllocator.cpp, kMinBlockSize)."""

ACCUMULATES = 2**62
"""Order of the nodes that add to `.grad`: the engine runs them as soon as they are ready."""

Gradients: TypeAlias = "list[Tensor | None]"


class Storage:
    """Allocated bytes of one part, in whole cells; they return to the tape when nothing refers to them."""

    __slots__ = ("bytes", "name", "part", "tape")

    def __init__(self, tape: Tape, bytes: Number, part: str, name: str) -> None:
        if tape.detailed:
            part = f"{part}|{name}"
        bytes = -(-bytes // CELL) * CELL if type(bytes) is int else round_up(bytes, CELL)
        self.tape, self.bytes, self.part, self.name = tape, bytes, part, name
        tape.live[part] = tape.live.get(part, 0) + bytes
        tape.total = tape.total + bytes

    def move(self, part: str) -> None:
        """Count these bytes under another part: a buffer that became a gradient."""
        live = self.tape.live
        if self.tape.detailed:
            part = f"{part}|{self.name}"
        live[self.part] = live[self.part] - self.bytes
        live[part] = live.get(part, 0) + self.bytes
        self.part = part

    def __del__(self) -> None:
        tape = self.tape
        tape.live[self.part] = tape.live[self.part] - self.bytes
        tape.total = tape.total - self.bytes


class Tensor:
    """`elements` numbers of `width` bytes in a storage that views share; `edge` leads to its backward, None needs no gradient."""

    __slots__ = ("edge", "elements", "storage", "width")

    def __init__(self, storage: Storage, elements: Number, width: int, edge: Edge | None = None) -> None:
        self.storage, self.elements, self.width, self.edge = storage, elements, width, edge

    def view(self, edge: Edge | None = None, elements: Number | None = None) -> Tensor:
        """The same bytes under another node, or a piece of them."""
        return Tensor(self.storage, self.elements if elements is None else elements, self.width, edge)


class Node:
    """One operation's backward: `run` turns the gradients of its results into those of its inputs, then forgets what it kept."""

    __slots__ = ("__weakref__", "again", "edges", "gradients", "kept", "order", "run", "waiting")

    def __init__(
        self, order: int, edges: tuple[Edge | None, ...], results: int, run: Callable[[Gradients], Gradients], kept: tuple[Any, ...] = ()
    ) -> None:
        self.order, self.edges, self.run, self.kept = order, edges, run, kept
        self.gradients: Gradients = [None] * results
        self.waiting = 0
        self.again: Again | None = None
        """What makes the kept tensors again, when a checkpointed forward did not keep them."""


Edge: TypeAlias = tuple[Node, int]

PENDING: Edge = (Node(-2, (), 1, list), 0)
"""Stands for a gradient that comes from elsewhere: a later segment, or the first forward of a checkpointed block."""


class Weight:
    """A parameter. Its bytes lie outside the tape; what the tape sees are copies of it and its gradient."""

    __slots__ = ("cast", "elements", "pending", "quantised", "rows", "trained", "uses", "width")

    def __init__(self, elements: Number, width: int, trained: bool, quantised: bool = False, rows: Number = 0) -> None:
        self.elements, self.width, self.trained, self.quantised = elements, width, trained, quantised
        self.rows = rows
        """Rows of a matrix; 0 for a vector, which optimizers cannot factor."""
        self.uses = 1
        """How many tensors of the model it is: 2 when embedding and output projection are one."""
        self.pending: Tensor | None = None
        self.cast: Tensor | None = None
        """The 16-bit copy that autocast makes and keeps."""
