"""What a graph is written from: a model's blocks in order, its tensors by name, and which blocks are told apart.

A stretch of blocks that repeats soon lays out equally every time, so of a repetition a few rounds may be enough.
Neighbours stay neighbours: which device an operation runs on can depend on the block after it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple, cast

from ....figure import Figure, plain
from ....layers import Block, Mlp
from ....model import ModelSpec, Tensor
from ..hyper import hyper
from .families import family

LONGEST_PERIOD = 8

IN_BLOCK = re.compile(r"blk\.(\d+)\.(.*)")

EXPERTS = re.compile(r"ffn_(up|down|gate|gate_up)_(ch|)exps")
"""Names that `--cpu-moe` keeps in host memory (common/arg.cpp)."""

OUTPUT = ("output", "altup_", "cls", "dense_")
"""Beginnings of names of tensors that go with the output layer (src/llama-arch.cpp, LLM_TENSOR_LAYER_OUTPUT)."""

INPUT = ("token_embd.", "position_embd.", "token_types.", "per_layer_token_embd.")
"""Beginnings of names of tensors that are only looked up, in host memory (LLM_TENSOR_LAYER_INPUT)."""


class Homes(NamedTuple):
    """Which backend holds what. Devices are 0, 1, …; `cpu` is their count and stands for host memory."""

    cpu: int
    layers: tuple[int, ...]
    """The backend of each block's weights, cache and state."""
    experts: tuple[int, ...]
    """The backend of each block's routed experts."""
    output: int

    def of(self, name: str) -> int:
        """The backend that holds a weight, by its full name."""
        if name.startswith("blk."):
            index, _, short = name[4:].partition(".")
            return self.experts[int(index)] if EXPERTS.match(short) else self.layers[int(index)]
        if name.startswith(INPUT):
            return self.cpu
        # Norms of the embedding and shared projections go with the first block.
        return self.output if name.startswith(OUTPUT) else self.layers[0]


@dataclass(eq=False, slots=True)
class Sheet:
    """One model with typed tensors, ready for any number of graphs."""

    spec: ModelSpec
    tensors: dict[str, Tensor]
    blocks: tuple[Block, ...]
    kinds: tuple[int, ...]
    """Equal numbers: blocks of equal parts and shapes."""
    formats: tuple[int, ...]
    """Equal numbers: blocks whose weights have equal formats as well. Weights that stay where they are do not matter."""
    _kept: dict[tuple[Homes, int], tuple[int, ...]] = field(default_factory=dict)

    def kept(self, homes: Homes, rounds: int) -> tuple[int, ...]:
        """Positions of the blocks to write when of every repetition `rounds` rounds are written."""
        found = self._kept.get((homes, rounds))
        if found is None:
            places = zip(self.kinds, self.formats, homes.layers, homes.experts, strict=False)
            moving = homes.cpu > 0
            marks = tuple(
                (layer, expert, typed if moving and homes.cpu in (layer, expert) else kind) for kind, typed, layer, expert in places
            )
            found = self._kept[homes, rounds] = tuple(without_repeats(marks, rounds))
        return found


def without_repeats(marks: Sequence[object], rounds: int) -> list[int]:
    """Positions that are left when every repetition is cut to `rounds` rounds, or one more. The last position always stays."""
    kept: list[int] = []
    at, end = 0, len(marks)
    while at < end:
        best, period = 0, 1
        for length in range(1, LONGEST_PERIOD + 1):
            same = at
            while same + length < end and marks[same] == marks[same + length]:
                same += 1
            # An even number is cut: the residual changes places with its successor from round to round.
            cut = ((same - at) // length + 1 - rounds) // 2 * 2 * length
            if cut > best:
                best, period = cut, length
        if best:
            kept.extend(range(at, at + period))
            at += period + best
        else:
            kept.append(at)
            at += 1
    if kept and kept[-1] != end - 1:
        # The last block ends the graph: it stands for the round it repeats.
        kept[-1] = end - 1
    return kept


def sheet(spec: ModelSpec, tensors: tuple[Tensor, ...] | None = None) -> Sheet:
    """The sheet of a model whose tensors have types: its own, or those a mix gives it. Made once per list of tensors."""
    used = spec.tensors if tensors is None else tensors
    made: dict[int, Sheet] = spec.__dict__.setdefault("_sheets", {})
    found = made.get(id(used))
    if found is None:
        found = made[id(used)] = _sheet(spec, used)
        # The list must outlive its address.
        spec.__dict__.setdefault("_sheet_tensors", []).append(used)
    return found


def _plain(block: Block) -> Block:
    """The same block with bare numbers, when its shapes remember where they are from."""
    if not any(isinstance(getattr(part, f.name), Figure) for part in block.parts for f in fields(cast(Any, part))):
        return block

    def bare(part: Any) -> Any:
        changes = {f.name: plain(getattr(part, f.name)) for f in fields(part)}
        if isinstance(changes.get("dense"), Mlp):
            changes["dense"] = bare(changes["dense"])
        return replace(part, **changes)

    return replace(block, mixers=tuple(map(bare, block.mixers)), feed=bare(block.feed) if block.feed is not None else None)


def _sheet(spec: ModelSpec, tensors: tuple[Tensor, ...]) -> Sheet:
    of_block: dict[int, list[tuple[str, tuple[int, ...], str | None]]] = {}
    for tensor in tensors:
        match = IN_BLOCK.match(tensor.name)
        if match:
            of_block.setdefault(int(match[1]), []).append((match[2], tensor.shape, tensor.type))
    by_position = {position: group.block for group in spec.groups for position in group.positions}
    blocks = tuple(_plain(by_position[position]) for position in sorted(by_position))
    shapes: dict[object, int] = {}
    typed: dict[object, int] = {}
    kinds, formats = [], []
    kind = family(spec.architecture)
    # Blocks before and after the residual is banked differ, though their tensors do not.
    size = int(hyper(spec)["attn_res.block_size"]) if kind.stream == "banked" else len(blocks)
    for index, block in enumerate(blocks):
        stored = sorted(of_block.get(index, ()), key=lambda entry: entry[0])
        placed = kind.steps.rotates(index, len(blocks), False, False), index < kind.sparse_blocks, index // size
        kinds.append(shapes.setdefault((block, placed, tuple(entry[:2] for entry in stored)), len(shapes)))
        formats.append(-1 - typed.setdefault((block, tuple(stored)), len(typed)))
    return Sheet(spec, {tensor.name: tensor for tensor in tensors}, blocks, tuple(kinds), tuple(formats))
