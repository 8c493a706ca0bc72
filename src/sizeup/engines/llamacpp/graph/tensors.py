"""Nodes of a computation graph, by shape and bytes only. Nothing is computed.

A node is what the engine calls a tensor: an operation's result, an input, a weight or a cache. Shapes are in ggml's
order (row length first) and always four long. Order matters: a graph lists its nodes parents first, left to right,
in the order in which the model's code asks for them, because the allocator walks that list.
"""

from __future__ import annotations

from collections.abc import Sequence

from ....quant import Quant

Shape = tuple[int, int, int, int]

WIDTH = {"f32": 4, "f16": 2, "bf16": 2, "i32": 4, "i64": 8}
"""Bytes of one number of the types that operations produce."""

IN_PLACE = frozenset(
    ["add", "sub", "mul", "div", "add_id", "scale", "sqr", "sqrt", "log", "unary", "rope", "rms_norm", "clamp", "soft_max", "fill"]
)
"""Operations that may write over an input of the same layout (ggml's ggml_op_can_inplace)."""

VIEWS = frozenset(("view", "reshape", "permute", "transpose"))
"""Operations that only look at their input differently: nothing is computed or stored."""


class Node:
    """One tensor of the graph."""

    __slots__ = (
        "at",
        "backend",
        "buffer",
        "bytes",
        "extra",
        "given",
        "home",
        "in_place",
        "kept",
        "name",
        "op",
        "packed",
        "quant",
        "root",
        "seen",
        "shape",
        "shown",
        "sources",
        "type",
        "uses",
        "weight",
    )

    def __init__(
        self,
        op: str,
        shape: Shape,
        type: str = "f32",
        bytes: int | None = None,
        sources: Sequence[Node] = (),
        root: Node | None = None,
        packed: bool = True,
        name: str = "",
    ) -> None:
        self.op = op
        self.shape = shape
        self.type = type
        self.name = name
        self.bytes = shape[0] * shape[1] * shape[2] * shape[3] * WIDTH[type] if bytes is None else bytes
        self.sources = sources
        self.root = root
        """The tensor whose memory a view shows; None when it has its own."""
        self.packed = packed
        """Rows follow each other without gaps, in the order of the shape."""
        self.in_place = op in IN_PLACE
        self.given = False
        """Filled by the caller before the graph runs (a graph input)."""
        self.kept = False
        """Never freed: a result, or a copy that belongs to another step of the pipeline."""
        self.weight = False
        self.home: int | None = None
        """The backend whose buffer already holds it (weights, caches); None when the allocator places it."""
        self.backend = -1
        self.seen = False
        self.quant: Quant | None = None
        """Its format when it is quantised."""
        self.extra = 0
        """Bytes a GPU kernel keeps behind the result for its own use."""
        self.uses = 0
        """While it is laid out: operations that still need it, …"""
        self.shown = 0
        """… views of it that are still needed, …"""
        self.buffer = -1
        """… and the buffer and address it has; -1 while it has none."""
        self.at = 0

    @property
    def rows(self) -> int:
        return self.shape[1] * self.shape[2] * self.shape[3]


class Graph:
    """Builds nodes and lists them in the engine's order."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.leaves: list[Node] = []

    # -- leaves ------------------------------------------------------------------------------------------------------
    def given(self, name: str, shape: Sequence[int], type: str = "f32") -> Node:
        """A graph input."""
        node = Node("none", full(shape), type, name=name)
        node.given = True
        return node

    def stored(self, name: str, shape: Sequence[int], quant: Quant, home: int, weight: bool) -> Node:
        """A weight, or a cache or state tensor (weight=False), in the buffer of backend `home`."""
        sides = full(shape)
        bytes = int(quant.row_bytes(sides[0])) * sides[1] * sides[2] * sides[3]
        node = Node("none", sides, quant.name.lower(), bytes, name=name)
        node.home, node.weight, node.quant = home, weight, quant if quant.block > 1 else None
        return node

    # -- views -------------------------------------------------------------------------------------------------------
    def view(self, of: Node, shape: Sequence[int], packed: bool = True, op: str = "view", bytes: int | None = None) -> Node:
        node = Node(op, full(shape), of.type, of.bytes if bytes is None else bytes, (of,), of.root or of, packed, of.name)
        node.quant = of.quant
        return node

    def slice(self, of: Node, shape: Sequence[int], *steps: int) -> Node:
        """Part of a tensor's rows: `steps` are the elements from one index to the next of axes 1, 2, 3.

        A copy of it keeps its gaps, so its bytes span from its first to its last element.
        """
        sides = full(shape)
        last = sides[0] - 1 + sum((side - 1) * step for side, step in zip(sides[1:], steps, strict=False))
        packed, row = True, 1
        for side, step in zip(sides, steps, strict=False):
            row *= side
            packed = packed and step == row
        return self.view(of, sides, packed, bytes=(last + 1) * WIDTH[of.type])

    def reshape(self, of: Node, *shape: int) -> Node:
        return self.view(of, shape, of.packed, "reshape")

    def permute(self, of: Node, *axes: int) -> Node:
        """Axis i of the input becomes axis axes[i] of the result."""
        shape = [1, 1, 1, 1]
        for axis, to in enumerate(axes):
            shape[to] = of.shape[axis]
        return self.view(of, shape, False, "permute")

    # -- operations --------------------------------------------------------------------------------------------------
    def op(self, op: str, shape: Sequence[int], *sources: Node, type: str = "f32", name: str = "") -> Node:
        return Node(op, full(shape), type, None, sources, name=name)

    def like(self, op: str, first: Node, *others: Node, name: str = "") -> Node:
        """A result with the shape of its first input."""
        return Node(op, first.shape, first.type, None, (first, *others), name=name)

    def mul_mat(self, weight: Node, inputs: Node, name: str = "") -> Node:
        return Node("mul_mat", (weight.shape[1], *inputs.shape[1:]), "f32", None, (weight, inputs), name=name or weight.name)

    def mul_mat_id(self, experts: Node, inputs: Node, chosen: Node, name: str = "") -> Node:
        """Each token's rows through its own experts."""
        shape = (experts.shape[1], chosen.shape[0], inputs.shape[2], 1)
        return Node("mul_mat_id", shape, "f32", None, (experts, inputs, chosen), name=name or experts.name)

    def get_rows(self, table: Node, rows: Node) -> Node:
        kind = table.type if table.type == "i32" else "f32"
        return Node("get_rows", (table.shape[0], *rows.shape[:3]), kind, None, (table, rows), name=table.name)

    def set_rows(self, into: Node, rows: Node, at: Node) -> Node:
        """Writes rows into `into`; the result is a view of it."""
        return Node("set_rows", into.shape, into.type, into.bytes, (rows, at, into), into.root or into, into.packed, into.name)

    def copy(self, rows: Node, into: Node) -> Node:
        """ggml's cpy: the result is a view of `into`."""
        return Node("cpy", into.shape, into.type, into.bytes, (rows, into), into.root or into, into.packed, into.name)

    def pack(self, of: Node, *shape: int) -> Node:
        """A copy without gaps (ggml's cont)."""
        return Node("cont", full(shape) if shape else of.shape, of.type, None, (of,), name=of.name)

    # -- order -------------------------------------------------------------------------------------------------------
    def expand(self, node: Node) -> Node:
        """Lists `node` after everything it needs."""
        stack = [(node, 0)]
        if node.seen:
            return node
        node.seen = True
        while stack:
            top, at = stack[-1]
            if at < len(top.sources):
                stack[-1] = (top, at + 1)
                source = top.sources[at]
                if not source.seen:
                    source.seen = True
                    stack.append((source, 0))
                continue
            stack.pop()
            (self.leaves if top.op == "none" else self.nodes).append(top)
        return node


def full(shape: Sequence[int]) -> Shape:
    padded = (*shape, 1, 1, 1, 1)
    return (padded[0], padded[1], padded[2], padded[3])
