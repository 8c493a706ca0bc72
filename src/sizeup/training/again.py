"""Checkpointing on the tape: a block whose forward keeps nothing, and runs again when its backward needs what it made."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from .tensors import Node, Tensor

if TYPE_CHECKING:
    from .tape import Tape


class _EverythingMadeAgain(Exception):
    """The last tensor that a backward needs has been made: the forward stops (torch.utils.checkpoint's early stop)."""


class Again:
    """A checkpointed block: the nodes of its first forward, in order, and the forward that fills them when the first is needed."""

    def __init__(self, tape: Tape, forward: Callable[[Tensor], Tensor], x: Tensor) -> None:
        self.tape, self.forward, self.input = tape, forward, x
        self.nodes: list[weakref.ref[Node]] = []
        """Weak, as PyTorch holds them: a node whose result nobody used is gone, and what it would need is made but not kept."""
        self.filled = 0
        self.filling = False

    def add(self, node: Node, packed: int) -> None:
        """A node of the first forward that will need `packed` tensors."""
        if packed:
            node.again = self
            self.nodes.append(weakref.ref(node))

    def take(self, packed: int) -> Node | None:
        """The node of the first forward that stands where the second one is now; None when it keeps nothing or is gone."""
        if not packed:
            return None
        self.filled += 1
        return self.nodes[self.filled - 1]()

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
