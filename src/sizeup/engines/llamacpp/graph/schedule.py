"""Which backend runs each node, and which copies that makes: ggml's scheduler (llama.cpp b11549, ggml-backend.cpp).

Backends are numbered devices first, the CPU last. A node runs where its weight lies, except that a device takes over
an operation on host weights when the batch has at least 32 rows. What carries no weight follows its neighbours. A
split is a stretch of nodes on one backend; what it needs from elsewhere is copied to its backend at its start and
lives until its last use, and every weight brought over starts a new split, so that copies do not pile up.
"""

from __future__ import annotations

from typing import NamedTuple

from .placing import Step
from .tensors import VIEWS, Graph, Node

OFFLOAD_ROWS = 32
"""Batch rows from which a device runs operations on weights that lie in host memory (ggml-cuda.cu)."""

COPIES = 4
"""Copies of every input that pipeline parallelism keeps (GGML_SCHED_MAX_COPIES)."""

HEADS = frozenset((40, 64, 72, 80, 96, 112, 128, 256))
"""Head widths for which the CUDA kernels run flash attention with keys and values of one width."""

GROUPED = {512: 512, 576: 512, 192: 128}
"""Key width -> value width of kernels that need several query heads per key head."""

GROUPED_CELLS = 256
"""These kernels also need a multiple of this many cells."""

INDEXER_WIDTH, INDEXER_HEADS = 128, (4, 32, 64)
"""Width and counts of heads for which the CUDA kernel of the lightning indexer exists."""


def flash_kernel(key_dim: int, value_dim: int, grouped: bool) -> bool:
    """Whether the CUDA backend has a flash attention kernel for heads of these widths."""
    if key_dim in GROUPED:
        return grouped and value_dim == GROUPED[key_dim]
    return key_dim in HEADS and value_dim == key_dim


class Schedule(NamedTuple):
    """A graph ready to be laid out."""

    leaves: list[tuple[Node, int]]
    steps: list[Step]
    splits: int


def runs_on_device(node: Node, device: int, cpu: int) -> bool:
    """Whether a CUDA device can run this operation (its kernels' shapes, and no input in another device's memory)."""
    for source in node.sources:
        home = (source.root or source).home
        if home is not None and home != device and home != cpu:
            return False
    if node.op == "flash":
        queries, keys, values = (source.shape for source in node.sources[:3])
        return flash_kernel(keys[0], values[0], queries[2] >= 2 * keys[2] and keys[1] % GROUPED_CELLS == 0)
    if node.op == "indexer":
        small = node.sources[0].shape
        return small[0] == INDEXER_WIDTH and small[1] in INDEXER_HEADS
    if node.op == "ssm_scan":
        state, decay = node.sources[0].shape, node.sources[3].shape
        if decay[0] == 1:
            return state[0] in (96, 128, 256) and state[1] % 16 == 0
        return state[0] == 16 and state[1] == 1 and state[2] % 128 == 0 and node.sources[4].shape[1] == 1
    if node.op == "mul_mat":
        return not (node.sources[1].type == "f16" and node.sources[0].type != "f16")
    return True


def offload_rows(node: Node) -> int:
    """The batch size a device sees in an operation when it decides to take it over."""
    if node.op == "get_rows":
        return 0
    if node.op == "mul_mat":
        return node.shape[1]
    if node.op in ("mul_mat_id", "rope"):
        return node.shape[2]
    return node.rows


def schedule(graph: Graph, devices: int, offload: bool = True, pipeline: bool = False) -> Schedule:
    """Backends, splits and copies for `graph` on `devices` devices and the CPU."""
    cpu = devices
    if not devices:
        return Schedule([(leaf, 0) for leaf in graph.leaves], [(node, 0, node.sources) for node in graph.nodes], 1)
    nodes = [node for node in graph.nodes if node.op not in VIEWS]
    _by_weights(graph, cpu, offload)

    def able(node: Node, backend: int) -> bool:
        return backend == cpu or runs_on_device(node, backend, cpu)

    def spread(order: list[Node], skip_cpu: bool) -> None:
        current = -1
        for node in order:
            if node.backend != -1:
                current = -1 if skip_cpu and node.backend == cpu else node.backend
            elif current != -1 and able(node, current):
                node.backend = current

    backwards = nodes[::-1]
    for skip in (True, False):
        spread(nodes, skip)
        spread(backwards, skip)

    def reachable(source: Node, backend: int) -> bool:
        root = source.root or source
        home = root.home if root.home is not None else source.backend if source.backend != -1 else root.backend
        return home == backend

    for node in nodes:
        if node.backend == -1:
            best = -1
            for backend in range(devices + 1):
                if able(node, backend):
                    near = sum(reachable(source, backend) for source in node.sources)
                    if near > best:
                        best, node.backend = near, backend
    for node in graph.nodes:
        if node.root is not None and node.backend == -1:
            node.backend = node.root.backend
        for source in node.sources:
            if source.backend == -1:
                source.backend = source.root.backend if source.root is not None else node.backend
        if node.backend == -1:
            node.backend = next(b for b in range(devices + 1) if able(node, b))
    return _split(graph, cpu, COPIES if pipeline else 1)


def _by_weights(graph: Graph, cpu: int, offload: bool) -> None:
    """First assignment: what is stored somewhere, inputs, and operations with a weight."""
    for leaf in graph.leaves:
        leaf.backend = leaf.home if leaf.home is not None else cpu if leaf.given else -1
    for node in graph.nodes:
        if node.backend != -1:
            continue
        home = (node.root or node).home
        if home is not None:
            node.backend = home
        elif node.op not in ("rope", "flash"):
            weight = next((s for s in node.sources if s.weight), None)
            if weight is None or weight.home is None:
                continue
            node.backend = weight.home
            if weight.home == cpu and offload and offload_rows(node) >= OFFLOAD_ROWS:
                node.backend = next((d for d in range(cpu) if runs_on_device(node, d, cpu)), cpu)


def _split(graph: Graph, cpu: int, copies: int) -> Schedule:
    """Cuts the graph where the backend changes or a weight is brought over, and lists what the allocator walks."""
    steps: list[Step] = []
    copied: dict[tuple[int, int], list[Node]] = {}
    brought: list[tuple[list[Node], int]] = []
    current = next((n.backend for n in graph.nodes if n.op not in VIEWS), cpu)
    split: list[Step] = []
    inputs: list[Node] = []
    splits = 1

    def close() -> None:
        for source in inputs:
            mark = Node("none", source.shape, source.type, source.bytes, (source,), source.root or source)
            steps.append((mark, source.backend, mark.sources))
            steps.append((copied[id(source), current][0], current, ()))
        steps.extend(split)

    for node in graph.nodes:
        if node.op in VIEWS:
            split.append((node, node.backend, node.sources))
            continue
        far = [
            source
            for source in node.sources
            if source.backend != node.backend and (home if (home := (source.root or source).home) is not None else -1) != node.backend
        ]
        if node.backend != current or (inputs and far and any(source.weight for source in far)):
            close()
            split, inputs = [], []
            splits += 1
            current = node.backend
        if far:
            sources = list(node.sources)
            for source in far:
                key = (id(source), current)
                if key not in copied:
                    copied[key] = made = [_twin(source, current, copies > 1) for _ in range(copies)]
                    brought.append((made, current))
                    inputs.append(source)
                sources = [copied[key][0] if other is source else other for other in sources]
            node.sources = sources
        split.append((node, current, node.sources))
    close()
    leaves: list[tuple[Node, int]] = []
    if copies > 1:
        for leaf in graph.leaves:
            if leaf.given:
                leaf.kept = True
                leaves.append((leaf, leaf.backend))
                leaves.extend((_twin(leaf, leaf.backend, True), leaf.backend) for _ in range(copies - 1))
        for made, backend in brought:
            leaves.extend((twin, backend) for twin in made)
    leaves.extend((leaf, leaf.backend) for leaf in graph.leaves)
    return Schedule(leaves, steps, splits)


def _twin(source: Node, backend: int, kept: bool) -> Node:
    """A copy of a tensor on another backend, gaps and all."""
    name = source.name if (source.root or source).op == "none" else ""
    twin = Node("none", source.shape, source.type, source.bytes, name=name)
    twin.packed, twin.quant, twin.backend = source.packed, source.quant, backend
    twin.given = twin.kept = kept
    return twin
