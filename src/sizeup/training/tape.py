"""A training step as an eager framework runs it, without the numbers: which tensors are alive at every moment.

The tape is a small autograd. An operation allocates its result, a node keeps what its backward needs, and a tensor is
freed when its last reference dies: as in eager PyTorch, Python itself counts the references. What is counted is bytes,
of numbers of any kind; every allocation is one candidate peak, and the peak is `most` of them.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from dataclasses import dataclass, field

from sizeup.figure import Number, most, plain

from .again import Again
from .tensors import PENDING, Gradients, Node, Storage, Tensor, Weight

_EDGE, _STORAGE = operator.attrgetter("edge"), operator.attrgetter("storage")
"""Faster than loops that Python runs, in what every operation does."""


@dataclass(slots=True)
class Peak:
    """The most bytes alive at once so far: as tensors, and with kernels' own workspaces; of that, the parts and the operation."""

    bytes: Number = 0
    with_workspace: Number = 0
    parts: dict[str, Number] = field(default_factory=dict)
    event: str = ""


class Tape:
    """Live bytes by part, their sum, and every candidate peak so far."""

    def __init__(self, autocast: bool = False, accumulated: bool = False, detailed: bool = False) -> None:
        self.live: dict[str, Number] = {}
        self.detailed = detailed
        """Parts are told apart by the operation that made them ("part|operation"), for an explanation."""
        self.total: Number = 0
        self.peak = Peak()
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
        peak, held = self.peak, self.total + workspace
        if type(held) is int:
            # Ints alone, which is nearly always: the same without the calls that figures and columns need.
            if workspace == 0 and held > peak.bytes:
                peak.bytes = held
            if held <= peak.with_workspace:
                return
            peak.with_workspace = held
        else:
            if isinstance(workspace, int) and workspace == 0:
                peak.bytes = most(peak.bytes, held)
            higher = plain(held) > plain(peak.with_workspace)
            peak.with_workspace = most(peak.with_workspace, held)
            if not higher:
                return
        peak.parts, peak.event = self.live.copy(), event
        peak.parts["buffers"] = peak.parts.get("buffers", 0) + workspace

    def consider(self, other: Peak) -> None:
        """A peak found elsewhere: it counts where it is higher."""
        peak = self.peak
        if plain(other.with_workspace) > plain(peak.with_workspace):
            peak.parts, peak.event = other.parts, other.event
        peak.bytes, peak.with_workspace = most(peak.bytes, other.bytes), most(peak.with_workspace, other.with_workspace)

    def new(self, elements: Number, width: int, name: str = "") -> Tensor:
        """Allocate a tensor."""
        storage = Storage(self, elements * width, self.part, name)
        # Most moments are no candidate: only what is higher than all before, and what is no plain number, goes the long way.
        if type(self.total) is not int or self.total > self.peak.bytes:
            self.note(name)
        return Tensor(storage, elements, width)

    def several(self, name: str, *sizes: tuple[Number, int]) -> list[Tensor]:
        """Allocate the results of one operation: (elements, width) each."""
        if len(sizes) == 1:
            return [self.new(*sizes[0], name)]
        part = self.part
        made = [Tensor(Storage(self, n * width, part, name), n, width) for n, width in sizes]
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
        for tensor in inputs:
            if tensor.edge is not None:
                break
        else:
            return self.several(name, *sizes)
        if self.filling:
            return self._made_again(name, sizes, keeps, keeps_results, keeps_numbers)
        made = self.several(name, *sizes)
        self._tie(made[0], inputs, run, (*keeps, *made[len(made) - keeps_results :]), keeps_numbers)
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
        """An operation with one result: `apply` without its lists, for nearly all operations are such."""
        for tensor in inputs:
            if tensor.edge is not None:
                break
        else:
            return self.new(elements, width, name)
        if self.again is not None and self.again.filling:
            return self._made_again(name, ((elements, width),), keeps, int(keeps_result), keeps_numbers)[0]
        made = self.new(elements, width, name)
        self._tie(made, inputs, run, (*keeps, made) if keeps_result else keeps, keeps_numbers)
        return made

    def _tie(
        self, made: Tensor, inputs: tuple[Tensor, ...], run: Callable[[Gradients], Gradients], keeps: tuple[Tensor, ...], numbers: int
    ) -> None:
        """Give a result the node that leads back to the inputs."""
        node = Node(next(self._order), tuple(map(_EDGE, inputs)), 1, run)
        if self.again is not None:
            self.again.add(node, len(keeps) + numbers)
        else:
            node.kept = tuple(map(_STORAGE, keeps))
        made.edge = (node, 0)

    def _made_again(
        self, name: str, sizes: tuple[tuple[Number, int], ...], keeps: tuple[Tensor, ...], keeps_results: int, keeps_numbers: int
    ) -> list[Tensor]:
        """The operation in a checkpointed block's second forward: its first node keeps what it makes, and what it needs is there."""
        again, packed = self.again, len(keeps) + keeps_numbers + keeps_results
        assert again is not None
        node = again.take(packed)
        if node is not None:
            node.kept = tuple(map(_STORAGE, keeps))
        again.stop_if_last(packed > 0 and not keeps_results)
        made = self.several(name, *sizes)
        if keeps_results:
            if node is not None:
                node.kept += tuple(map(_STORAGE, made[len(made) - keeps_results :]))
            again.stop_if_last(True)
        made[0].edge = PENDING
        return made

    def seen(
        self, x: Tensor, run: Callable[[Gradients], Gradients], elements: Number | None = None, also: tuple[Tensor, ...] = ()
    ) -> Tensor:
        """A view of `x`, or a piece of it, or `x` after `also` was added in place: nothing is allocated forwards."""
        if not self.needs(x, *also):
            return x.view(None, elements)
        if self.again is not None and self.again.filling:
            return x.view(PENDING, elements)
        return x.view((Node(next(self._order), tuple(map(_EDGE, (x, *also))), 1, run), 0), elements)

    def node(self, inputs: tuple[Tensor, ...], run: Callable[[Gradients], Gradients], results: int) -> Node:
        """A node of several results, for the caller to attach."""
        return Node(next(self._order), tuple(map(_EDGE, inputs)), results, run)

    @property
    def filling(self) -> bool:
        return self.again is not None and self.again.filling

    def needs(self, *tensors: Tensor) -> bool:
        """Whether one of these needs a gradient."""
        for tensor in tensors:  # noqa: SIM110 - every operation asks, and a generator is slow
            if tensor.edge is not None:
                return True
        return False
