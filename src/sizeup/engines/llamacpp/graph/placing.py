"""Where ggml's graph allocator puts each node, and so how large each compute buffer gets.

The rules (llama.cpp b11549, ggml/src/ggml-alloc.c): nodes get memory in the graph's order and give it back after their
last use; a node takes the smallest hole it fits in, else the end; an operation of ggml's list writes over an input of
its own layout that nobody else still needs. A buffer is therefore the sum of what is alive at its widest moment plus
the holes that nothing fitted: both are reported.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .tensors import Node

GPU_ROW = 512
"""A CUDA device pads the last row of a quantised tensor to a multiple of this many values (MATRIX_ROW_PADDING)."""


@dataclass(slots=True)
class Buffer:
    """One backend's compute buffer while it is laid out."""

    alignment: int
    gpu: bool
    starts: list[int] = field(default_factory=lambda: [0])
    sizes: list[int] = field(default_factory=lambda: [1 << 62])
    bytes: int = 0
    """Its size so far: the end of the highest tensor ever placed."""
    alive: dict[int, Node] = field(default_factory=dict)
    widest: dict[int, Node] = field(default_factory=dict)
    """What was alive when it last grew."""
    trace: list[Any] | None = None
    """Gets what every comparison of sizes came out as, when somebody wants to know."""

    def room(self, node: Node) -> int:
        """Bytes this node takes here."""
        size = node.bytes
        if self.gpu:
            size += node.extra
            if node.quant is not None and (over := node.shape[0] % GPU_ROW):
                size += int(node.quant.row_bytes(GPU_ROW - over))
        return -(-size // self.alignment) * self.alignment

    def take(self, size: int) -> int:
        starts, sizes = self.starts, self.sizes
        last = len(sizes) - 1
        best = last
        smallest = 1 << 63
        for index in range(last):
            free = sizes[index]
            # Of equal holes the later one is taken.
            if size <= free <= smallest:
                best, smallest = index, free
        if self.trace is not None:
            self.trace += (best, last, sizes[best] == size, *(size <= free for free in sizes[:last]))
        at = starts[best]
        if sizes[best] == size:
            del starts[best], sizes[best]
        else:
            starts[best] = at + size
            sizes[best] -= size
        return at

    def give(self, at: int, size: int) -> None:
        before = len(self.starts)
        near = self._join(at, size)
        if self.trace is not None:
            self.trace += (near, before, len(self.starts))

    def _join(self, at: int, size: int) -> int:
        """Put the hole among the others, joined to those that touch it; returns the place of the one it became part of."""
        starts, sizes = self.starts, self.sizes
        index = bisect_left(starts, at)
        # Holes of no bytes exist (an empty tensor was freed there) and stand in the way of joining, as in the engine.
        for near in range(max(index - 2, 0), min(index + 2, len(starts))):
            if starts[near] + sizes[near] == at:
                sizes[near] += size
                if near + 1 < len(starts) and starts[near] + sizes[near] == starts[near + 1]:
                    sizes[near] += sizes[near + 1]
                    del starts[near + 1], sizes[near + 1]
                return near
            if at + size == starts[near]:
                starts[near] = at
                sizes[near] += size
                if near and starts[near - 1] + sizes[near - 1] == at:
                    sizes[near - 1] += sizes[near]
                    del starts[near], sizes[near]
                return -near - 1
        starts.insert(index, at)
        sizes.insert(index, size)
        return index


Step = tuple[Node, int, Sequence[Node]]
"""A node to run, its backend, its inputs there."""


def lay_out(leaves: list[tuple[Node, int]], steps: list[Step], buffers: list[Buffer], record: bool = False) -> None:
    """Places every leaf and step into `buffers`; `record` keeps what is alive at each buffer's widest moment."""
    if buffers[0].trace is not None:
        buffers[0].trace += ((node.op, where, node.root is None, len(sources)) for node, where, sources in steps)
    for node, where in leaves:
        if node.buffer < 0 and node.home is None and node.root is None:
            _allocate(node, where, buffers, record)
    for node, where, sources in steps:
        if node.root is not None and node.op != "none":
            node.root.shown += 1
        for source in sources:
            source.uses += 1
            if source.given and source.buffer < 0:
                _allocate(source, where, buffers, record)
    for node, where, sources in steps:
        if node.root is None and node.buffer < 0 and node.home is None:
            _allocate(node, where, buffers, record)
        for source in sources:
            source.uses -= 1
            if not source.uses and not source.shown:
                root = source.root
                if root is None:
                    if source.buffer >= 0:
                        _release(source, buffers)
                else:
                    root.shown -= 1
                    if not root.shown and not root.uses and root.buffer >= 0:
                        _release(root, buffers)


def _allocate(node: Node, where: int, buffers: list[Buffer], record: bool) -> None:
    trace = buffers[0].trace
    if node.in_place:
        for parent in node.sources:
            if trace is not None:
                trace.append(tuple((a > b) - (a < b) for a, b in zip(parent.shape, node.shape, strict=True)))
            if (
                parent.buffer >= 0
                and parent.uses == 1
                and not parent.shown
                and not parent.kept
                and parent.packed
                and parent.shape == node.shape
                and parent.type == node.type
            ):
                buffer = buffers[parent.buffer]
                node.buffer, node.at, parent.buffer = parent.buffer, parent.at, -1
                if record:
                    buffer.alive.pop(id(parent), None)
                    buffer.alive[id(node)] = node
                spare = buffer.room(parent) - buffer.room(node)
                if spare > 0:
                    buffer.give(node.at + buffer.room(node), spare)
                return
    buffer = buffers[where]
    size = buffer.room(node)
    node.buffer, node.at = where, buffer.take(size)
    if record:
        buffer.alive[id(node)] = node
    grows = node.at + size > buffer.bytes
    if trace is not None:
        trace.append(grows)
    if grows:
        buffer.bytes = node.at + size
        if record:
            buffer.widest = dict(buffer.alive)


def _release(node: Node, buffers: list[Buffer]) -> None:
    if node.kept:
        return
    buffer = buffers[node.buffer]
    buffer.give(node.at, buffer.room(node))
    buffer.alive.pop(id(node), None)
    node.buffer = -1
