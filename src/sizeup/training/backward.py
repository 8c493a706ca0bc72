"""The order of a backward: nodes above a result, the latest first, gradients added where they meet."""

from __future__ import annotations

import itertools
from heapq import heappop, heappush

from .tape import Tape
from .tensors import Edge, Gradients, Node, Tensor


def backward(tape: Tape, root: Edge, gradient: list[Tensor]) -> None:
    """Run all nodes above `root`, the latest first, as the autograd engine does. Takes the gradient out of its list."""
    first, index = root
    _count_waiting(first)
    first.gradients[index] = gradient.pop()
    ready: list[tuple[int, int, Node]] = [(-first.order, 0, first)]
    ties = itertools.count(1)
    while ready:
        node = heappop(ready)[2]
        incoming, node.gradients = node.gradients, []
        if (again := node.again) is not None:
            if not again.filled:
                again.fill()
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
                    arrived = tape.new(arrived.elements, arrived.width, "gradients added")
                    del before
                target.gradients[index] = arrived
                del arrived
            target.waiting -= 1
            if target.waiting == 0:
                heappush(ready, (-target.order, next(ties), target))


def _spent(gradients: Gradients) -> Gradients:
    raise AssertionError("a node ran twice")


def _count_waiting(first: Node) -> None:
    """How many gradients each node above waits for: 0 until something leads to it."""
    stack = [first]
    while stack:
        for edge in stack.pop().edges:
            if edge is not None:
                target = edge[0]
                if target.waiting == 0:
                    stack.append(target)
                target.waiting += 1
