"""What every part of a graph needs at hand: the run's numbers, the weights of the block, and the common operations."""

from __future__ import annotations

import functools
from typing import NamedTuple

from ....layers import Attention
from ....model import Tensor
from ....quant import Quant, quant
from ..hyper import hyper
from .sheet import Homes, Sheet
from .tensors import Graph, Node


class Run(NamedTuple):
    """The numbers of one reserved graph, all plain integers."""

    tokens: int
    """Tokens in the batch, a multiple of `sequences`."""
    sequences: int
    streams: int
    """Separate caches: `sequences`, or 1 when the cache is unified."""
    outputs: int
    """Tokens whose logits are asked for."""
    cells: int
    """Cells of one stream of the ordinary cache."""
    window_cells: int
    """Cells of one stream of the sliding-window cache."""
    k: Quant
    v: Quant
    flash: bool
    pin_norms: bool = False
    """Norms run where their block lies: with batches below 32 tokens, or with every layer on devices."""
    embeddings: bool = False
    """Embeddings are asked for, and pooled as the model's `pooling_type` says."""
    transposed: bool = False
    """Values are cached transposed: flash attention was turned off by the user, not found unsupported later."""


class Writer:
    """Writes nodes for one model; `block` selects whose weights `weight` finds."""

    def __init__(self, run: Run, sheet: Sheet, homes: Homes) -> None:
        self.run, self.tensors, self.hyper, self.homes = run, sheet.tensors, hyper(sheet.spec), homes
        self.graph = Graph()
        self.blocks = len(sheet.blocks)
        self.prefix = ""
        self.index = 0
        self.position_axes = 1
        """Positions per token: 4 with multi-axis rotation."""
        self.widest_values = 0
        """Values per token in the widest layer: a transposed cache gives every layer as many."""
        self.wide_mask: Node | None = None
        """The attention mask as full floats, where blocks of it are opened."""
        self.chosen: Node | None = None
        """The tokens that the last indexer picked; blocks without one of their own attend to these too."""
        self._owners: dict[bool, int] = {}
        self._weights: dict[str, Node] = {}
        self._inputs: dict[str, Node] = {}

    # -- leaves ------------------------------------------------------------------------------------------------------
    def block(self, index: int) -> None:
        self.index, self.prefix = index, f"blk.{index}."

    def weight(self, name: str) -> Node | None:
        """A weight of this block by its short name (`attn_q.weight`), or None when the model has none."""
        return self.shared(self.prefix + name)

    def shared(self, name: str, home: int | None = None) -> Node | None:
        """A weight by its full name; `home` names its backend when every device has its own (rotation factors)."""
        key = name if home is None else f"{name}@{home}"
        node = self._weights.get(key)
        if node is None:
            tensor = self.tensors.get(name)
            if tensor is None or tensor.type is None:
                return None
            where = self.homes.of(name) if home is None else home
            node = self._weights[key] = self.graph.stored(name, tensor.shape, quant(tensor.type), where, True)
        return node

    def quant_of(self, tensor: Tensor) -> Quant:
        assert tensor.type is not None
        return quant(tensor.type)

    def need(self, name: str) -> Node:
        """A weight that this graph cannot do without; a model without it has a graph that is not written down."""
        node = self.weight(name)
        if node is None:
            raise NotImplementedError(f"{self.prefix}{name}")
        return node

    def given(self, name: str, *shape: int, type: str = "f32") -> Node:
        """A graph input, made once."""
        node = self._inputs.get(name)
        if node is None:
            node = self._inputs[name] = self.graph.given(name, shape, type)
        return node

    def mask(self, name: str, cells: int, streams: int) -> Node:
        """An attention mask: who sees which cell. Flash attention takes it in half the width."""
        return self.given(name, cells, self.run.tokens // streams, 1, streams, type="f16" if self.run.flash else "f32")

    @property
    def positions(self) -> Node:
        return self.given("inp_pos", self.run.tokens * self.position_axes, type="i32")

    @property
    def output_rows(self) -> Node:
        return self.given("out_ids", self.run.outputs, type="i32")

    @functools.cached_property
    def state_rows(self) -> tuple[Node, Node, Node]:
        """Which state slots the batch's sequences use: all of them, all but the first, and the batch's own."""
        count = self.run.sequences
        ids = self.given("rs_s_copy", count, type="i32")
        return ids, self.graph.view(ids, (count - 1,), bytes=4 * (count - 1)), self.graph.view(ids, (count,))

    def cache_owner(self, layer: Attention) -> int:
        """The block whose cache this block reads: its own, or the last caching block of its kind."""
        if layer.caches:
            self._owners[bool(layer.window)] = self.index
        return self._owners[bool(layer.window)]

    # -- common operations -------------------------------------------------------------------------------------------
    def linear(self, name: str, inputs: Node) -> Node:
        """A weight times the inputs, with its bias when it has one. `name` is without `.weight`."""
        result = self.graph.mul_mat(self.need(f"{name}.weight"), inputs)
        return self.biased(name, result)

    def biased(self, name: str, result: Node) -> Node:
        bias = self.weight(f"{name}.bias")
        return self.graph.like("add", result, bias) if bias is not None else result

    def norm(self, name: str, inputs: Node, layer_norm: bool = False, pinned: bool = True) -> Node:
        """A norm over rows; with no stored weight or bias it is the bare norm. `pinned`: may be tied to the block's device."""
        result = self.graph.like("norm" if layer_norm else "rms_norm", inputs)
        # Falcon-H1 names one of its norms without an ending.
        weight, bias = self.weight(f"{name}.weight") or self.weight(name), self.weight(f"{name}.bias")
        if self.run.pin_norms and pinned and (weight is not None or bias is not None):
            result.backend = self.homes.layers[self.index]
        if weight is not None:
            result = self.graph.like("mul", result, weight)
        if bias is not None:
            result = self.graph.like("add", result, bias)
        return result

    def has(self, name: str) -> bool:
        return self.prefix + name in self.tensors

    def add(self, left: Node, right: Node) -> Node:
        return self.graph.like("add", left, right)

    def scale(self, inputs: Node) -> Node:
        return self.graph.like("scale", inputs)

    def crop(self, inputs: Node) -> Node:
        """Only the rows whose logits are asked for."""
        return self.graph.get_rows(inputs, self.output_rows)
