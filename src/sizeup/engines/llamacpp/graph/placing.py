"""Where ggml's graph allocator puts each node, and so how large each compute buffer gets.

The rules (llama.cpp b11549, ggml/src/ggml-alloc.c): nodes get memory in the graph's order and give it back after their
last use; a node takes the smallest hole it fits in, else the end; an operation of ggml's list writes over an input of
its own layout that nobody else still needs. A buffer is therefore the sum of what is alive at its widest moment plus
the holes that nothing fitted: both are reported.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from .tensors import IN_PLACE, Node

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
        at = starts[best]
        if sizes[best] == size:
            del starts[best], sizes[best]
        else:
            starts[best] = at + size
            sizes[best] -= size
        return at

    def give(self, at: int, size: int) -> None:
        starts, sizes = self.starts, self.sizes
        index = bisect_left(starts, at)
        # Holes of no bytes exist (an empty tensor was freed there) and stand in the way of joining, as in the engine.
        for near in range(max(index - 2, 0), min(index + 2, len(starts))):
            if starts[near] + sizes[near] == at:
                sizes[near] += size
                if near + 1 < len(starts) and starts[near] + sizes[near] == starts[near + 1]:
                    sizes[near] += sizes[near + 1]
                    del starts[near + 1], sizes[near + 1]
                return
            if at + size == starts[near]:
                starts[near] = at
                sizes[near] += size
                if near and starts[near - 1] + sizes[near - 1] == at:
                    sizes[near - 1] += sizes[near]
                    del starts[near], sizes[near]
                return
        starts.insert(index, at)
        sizes.insert(index, size)


Step = tuple[Node, int, list[Node]]
"""A node to run, its backend, its inputs there."""


def lay_out(leaves: list[tuple[Node, int]], steps: list[Step], buffers: list[Buffer]) -> None:
    """Places every leaf and step into `buffers`."""
    children: dict[int, int] = {}
    views: dict[int, int] = {}
    owned: dict[int, tuple[int, int]] = {}
    """Node -> (buffer, address) while it has memory of its own here."""

    def allocate(node: Node, where: int) -> None:
        key = id(node)
        if key in owned or node.root is not None or node.home is not None:
            return
        if node.op in IN_PLACE:
            for parent in node.sources:
                mine = owned.get(id(parent))
                if (
                    mine is not None
                    and children.get(id(parent), 0) == 1
                    and not views.get(id(parent), 0)
                    and not parent.kept
                    and parent.shape == node.shape
                    and parent.type == node.type
                    and parent.packed
                ):
                    buffer = buffers[mine[0]]
                    owned[key] = mine
                    del owned[id(parent)]
                    buffer.alive.pop(id(parent), None)
                    buffer.alive[key] = node
                    spare = buffer.room(parent) - buffer.room(node)
                    if spare > 0:
                        buffer.give(mine[1] + buffer.room(node), spare)
                    return
        buffer = buffers[where]
        size = buffer.room(node)
        at = buffer.take(size)
        owned[key] = (where, at)
        buffer.alive[key] = node
        if at + size > buffer.bytes:
            buffer.bytes = at + size
            buffer.widest = dict(buffer.alive)

    def release(node: Node) -> None:
        if node.kept:
            return
        where, at = owned.pop(id(node))
        buffer = buffers[where]
        buffer.give(at, buffer.room(node))
        buffer.alive.pop(id(node), None)

    for node, where in leaves:
        allocate(node, where)
    for node, where, sources in steps:
        if node.root is not None and node.op != "none":
            views[id(node.root)] = views.get(id(node.root), 0) + 1
        if node.given:
            allocate(node, where)
        for source in sources:
            children[id(source)] = children.get(id(source), 0) + 1
            if source.given:
                allocate(source, where)
    for node, where, sources in steps:
        for source in sources:
            allocate(source, where)
        allocate(node, where)
        for source in sources:
            key = id(source)
            children[key] -= 1
            if children[key] == 0 and not views.get(key, 0):
                if source.root is not None:
                    root = source.root
                    views[id(root)] -= 1
                    if not views[id(root)] and not children.get(id(root), 0) and id(root) in owned:
                        release(root)
                elif key in owned:
                    release(source)
