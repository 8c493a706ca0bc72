"""A training step as an eager framework runs it, without the numbers: which tensors are alive at every moment.

The tape is a small autograd. An operation allocates its result, a node keeps what its backward needs, and a tensor is
freed when its last reference dies: as in eager PyTorch, Python itself counts the references. What is counted is bytes,
of numbers of any kind; every allocation adds one candidate peak to `events`, and the peak is `most` of them.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
from collections.abc import Callable
from typing import Any, TypeAlias

from sizeup.figure import Number, most, plain, round_up

CELL = 512
"""The CUDA caching allocator rounds every allocation up to this many bytes (c10/cuda/CUDACachingAllocator.cpp, kMinBlockSize)."""

ACCUMULATES = 2**62
"""Order of the nodes that add to `.grad`: the engine runs them as soon as they are ready."""

Gradients: TypeAlias = "list[Tensor | None]"


class Storage:
    """Allocated bytes of one part; they return to the tape when nothing refers to them."""

    __slots__ = ("bytes", "name", "part", "tape")

    def __init__(self, tape: Tape, bytes: Number, part: str, name: str) -> None:
        if tape.detailed:
            part = f"{part}|{name}"
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

    __slots__ = ("again", "edges", "gradients", "kept", "order", "run", "waiting")

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


class _EverythingMadeAgain(Exception):
    """The last tensor that a backward needs has been made: the forward stops (torch.utils.checkpoint's early stop)."""


class Again:
    """A checkpointed block: the nodes of its first forward, in order, and the forward that fills them when the first is needed."""

    def __init__(self, tape: Tape, forward: Callable[[Tensor], Tensor], x: Tensor) -> None:
        self.tape, self.forward, self.input = tape, forward, x
        self.nodes: list[Node] = []
        self.filled = 0
        self.filling = False

    def add(self, node: Node, packed: int) -> None:
        """A node of the first forward that will need `packed` tensors."""
        if packed:
            node.again = self
            self.nodes.append(node)

    def take(self, packed: int) -> Node | None:
        """The node of the first forward that stands where the second one is now."""
        if not packed:
            return None
        self.filled += 1
        return self.nodes[self.filled - 1]

    def stop_if_last(self, done: bool) -> None:
        if done and self.filled == len(self.nodes):
            raise _EverythingMadeAgain

    def fill(self) -> None:
        """Run the forward again, unless it has."""
        if self.filled:
            return
        tape = self.tape
        part, tape.part, tape.again, self.filling, tape.casting = tape.part, "activations", self, True, tape.autocast
        with contextlib.suppress(_EverythingMadeAgain):
            self.forward(self.input)
        tape.part, tape.again, tape.casting = part, None, False
        tape.forget_copies()
        del self.forward, self.input


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


class Tape:
    """Live bytes by part, their sum, and every candidate peak so far."""

    def __init__(self, autocast: bool = False, accumulated: bool = False, detailed: bool = False) -> None:
        self.live: dict[str, Number] = {}
        self.detailed = detailed
        """Parts are told apart by the operation that made them ("part|operation"), for an explanation."""
        self.total: Number = 0
        self.peak: Number = 0
        self.peak_with_workspace: Number = 0
        self.peak_parts: dict[str, Number] = {}
        self.peak_event = ""
        self.events: list[tuple[str, Number]] | None = None
        self.part = "activations"
        self.autocast = autocast
        self.casting = False
        """Inside the autocast region: linear operations take 16-bit inputs."""
        self.accumulated = accumulated
        """Gradients of earlier micro-batches are there already (static, outside the tape)."""
        self.again: Again | None = None
        """Set inside a checkpointed block: its nodes keep nothing until its forward runs again."""
        self.copies: list[Weight] = []
        self.gradients: list[Storage] = []
        self._order = itertools.count()

    def hold(self, part: str, bytes: Number) -> None:
        """Count bytes that no tensor of this tape stands for: the layers between the first and the last of a run."""
        self.live[part] = self.live.get(part, 0) + bytes
        self.total = self.total + bytes

    def held(self, part: str) -> Number:
        """Live bytes of a part."""
        if not self.detailed:
            return self.live.get(part, 0)
        return sum(bytes for name, bytes in self.live.items() if name.partition("|")[0] == part)

    def note(self, event: str, workspace: Number = 0) -> None:
        """A moment that may be the peak; `workspace` is what a kernel takes meanwhile and no tensor shows."""
        held = self.total + workspace
        if isinstance(workspace, int) and workspace == 0:
            self.peak = most(self.peak, self.total)
        if plain(held) > plain(self.peak_with_workspace):
            self.peak_parts, self.peak_event = {**self.live, "buffers": self.live.get("buffers", 0) + workspace}, event
        self.peak_with_workspace = most(self.peak_with_workspace, held)
        if self.events is not None:
            self.events.append((event, held))

    def new(self, elements: Number, width: int, name: str = "") -> Tensor:
        """Allocate a tensor."""
        storage = Storage(self, round_up(elements * width, CELL), self.part, name)
        self.note(name)
        return Tensor(storage, elements, width)

    def several(self, name: str, *sizes: tuple[Number, int]) -> list[Tensor]:
        """Allocate the results of one operation: (elements, width) each."""
        made = [Tensor(Storage(self, round_up(n * width, CELL), self.part, name), n, width) for n, width in sizes]
        self.note(name)
        return made

    def forget_copies(self) -> None:
        """The autocast region ends: its copies of weights live on only where a node keeps them."""
        for weight in self.copies:
            weight.cast = None
        self.copies.clear()

    def apply(
        self,
        name: str,
        sizes: tuple[tuple[Number, int], ...],
        inputs: tuple[Tensor, ...],
        run: Callable[[Gradients], Gradients],
        keeps: tuple[Tensor, ...] = (),
        keeps_results: int = 0,
        keeps_numbers: int = 0,
    ) -> list[Tensor]:
        """One operation: allocates results of (elements, width) each and, when an input needs a gradient, makes the first
        one's node, which keeps `keeps`, the last `keeps_results` results and so many plain numbers."""
        if not self.needs(*inputs):
            return self.several(name, *sizes)
        packed = len(keeps) + keeps_numbers
        if self.again is not None and self.again.filling:
            node = self.again.take(packed + keeps_results)
            if node is not None:
                node.kept = tuple(k.storage for k in keeps)
                self.again.stop_if_last(not keeps_results)
            made = self.several(name, *sizes)
            if node is not None and keeps_results:
                node.kept += tuple(result.storage for result in made[len(made) - keeps_results :])
                self.again.stop_if_last(True)
            made[0].edge = PENDING
            return made
        made = self.several(name, *sizes)
        node = Node(next(self._order), tuple(i.edge for i in inputs), 1, run)
        if self.again is not None:
            self.again.add(node, packed + keeps_results)
        else:
            node.kept = (*(k.storage for k in keeps), *(result.storage for result in made[len(made) - keeps_results :]))
        made[0].edge = (node, 0)
        return made

    def one(
        self,
        name: str,
        elements: Number,
        width: int,
        inputs: tuple[Tensor, ...],
        run: Callable[[Gradients], Gradients],
        keeps: tuple[Tensor, ...] = (),
        keeps_result: bool = False,
        keeps_numbers: int = 0,
    ) -> Tensor:
        """An operation with one result."""
        return self.apply(name, ((elements, width),), inputs, run, keeps, int(keeps_result), keeps_numbers)[0]

    def seen(self, x: Tensor, run: Callable[[Gradients], Gradients], elements: Number | None = None) -> Tensor:
        """A view of `x`, or a piece of it: nothing is allocated forwards."""
        if not self.needs(x):
            return x.view(None, elements)
        if self.again is not None and self.again.filling:
            return x.view(PENDING, elements)
        return x.view((Node(next(self._order), (x.edge,), 1, run), 0), elements)

    def node(self, inputs: tuple[Tensor, ...], run: Callable[[Gradients], Gradients], results: int) -> Node:
        """A node of several results, for the caller to attach."""
        return Node(next(self._order), tuple(i.edge for i in inputs), results, run)

    @property
    def filling(self) -> bool:
        return self.again is not None and self.again.filling

    def needs(self, *tensors: Tensor) -> bool:
        """Whether one of these needs a gradient."""
        return any(t.edge is not None for t in tensors)

    def backward(self, root: Edge, gradient: list[Tensor]) -> None:
        """Run all nodes above `root`, the latest first, as the autograd engine does. Takes the gradient out of its list."""
        first, index = root
        _count_waiting(first)
        first.gradients[index] = gradient.pop()
        ready: list[tuple[int, int, Node]] = [(-first.order, 0, first)]
        ties = itertools.count(1)
        while ready:
            node = heapq.heappop(ready)[2]
            incoming, node.gradients = node.gradients, []
            if node.again is not None:
                node.again.fill()
                node.again = None
            outgoing = node.run(incoming)
            del incoming
            node.run, node.kept = _spent, ()
            edges, node.edges = node.edges, ()
            for position, edge in enumerate(edges):
                if edge is None:
                    continue
                target, index = edge
                arrived, outgoing[position] = outgoing[position], None
                if arrived is not None:
                    before, target.gradients[index] = target.gradients[index], None
                    if before is not None:
                        arrived = self.new(arrived.elements, arrived.width, "gradients added")
                        del before
                    target.gradients[index] = arrived
                    del arrived
                target.waiting -= 1
                if target.waiting == 0:
                    heapq.heappush(ready, (-target.order, next(ties), target))


def _spent(gradients: Gradients) -> Gradients:
    raise AssertionError("a node ran twice")


def _count_waiting(first: Node) -> None:
    stack, seen = [first], {first}
    while stack:
        for edge in stack.pop().edges:
            if edge is not None:
                edge[0].waiting += 1
                if edge[0] not in seen:
                    seen.add(edge[0])
                    stack.append(edge[0])
