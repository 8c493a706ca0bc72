"""A model's weights as sums per block: what every plan needs of a thousand tensors, added up once.

Each block's weights fall into two sorts, routed experts and the rest, because they may lie apart; weights outside blocks
go with the input, the output or the first block. Bytes are as each kind of buffer would hold them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ...facts import data_json
from ...figure import round_up
from ...layers import Mamba1, Mamba2
from ...model import Tensor
from ...quant import Quant, quant
from .graph.sheet import EXPERTS, IN_BLOCK, INPUT, OUTPUT, Sheet
from .repack import packed_bytes

Extents = dict[int, tuple[int, int]]
"""File -> first and last byte, of what lies in it."""


@dataclass(slots=True)
class Entry:
    """Bytes of some weights, by where they might lie."""

    plain: int = 0
    """In a host buffer: those that stay as stored."""
    raw: int = 0
    """The same without alignment, as they lie in a file."""
    packed: int = 0
    """In the CPU's own layout: those it rearranges."""
    device: int = 0
    """In a device's buffer: all of them."""
    device_raw: int = 0
    stays: int = 0
    """Of those in a host buffer: what lies there even when its block is on a device, which has no kernel for it."""
    extents: Extents = field(default_factory=dict)
    """Where in the files the plain ones lie."""
    device_extents: Extents = field(default_factory=dict)

    def __add__(self, other: Entry) -> Entry:
        """Bytes of both; extents are joined only by `join`, since most plans need none."""
        return Entry(
            self.plain + other.plain,
            self.raw + other.raw,
            self.packed + other.packed,
            self.device + other.device,
            self.device_raw + other.device_raw,
            self.stays + other.stays,
        )


class Buffers(NamedTuple):
    """How buffers hold tensors: their kind of device, and what the CPU rearranges; no features: nothing."""

    kind: str
    features: tuple[str, ...]


@dataclass(slots=True)
class Ledger:
    """Sums over a model's tensors for one kind of buffers."""

    rest: list[Entry]
    experts: list[Entry]
    """By block, draft blocks last."""
    input: Entry
    output: Entry
    first: Entry
    """Outside blocks, but with the first one: norms of the embedding, shared projections."""
    everywhere: Entry
    """Rotation factors, of which every buffer that holds a block has its own copy."""
    head: Entry
    """The token embedding once more as the output projection; nothing when the model has its own."""
    lazy: Entry
    """Tables so large that the engine reads their rows from the file on demand."""
    rotates: tuple[int, ...]
    """Blocks that use the rotation factors."""

    def rotated(self, layers: tuple[int, ...]) -> set[int]:
        """Backends that hold a block which uses the rotation factors."""
        return {layers[index] for index in self.rotates}


def ledger(sheet: Sheet, buffers: Buffers) -> Ledger:
    """The sums of this model's tensors, made once per sheet and kind of buffers."""
    kept: dict[Buffers, Ledger] = sheet.spec.__dict__.setdefault("_ledgers", {}).setdefault(id(sheet), {})
    found = kept.get(buffers)
    if found is None:
        # The sheet must outlive its address.
        sheet.spec.__dict__.setdefault("_ledger_sheets", {})[id(sheet)] = sheet
        found = kept[buffers] = _made(sheet, buffers)
    return found


def _made(sheet: Sheet, buffers: Buffers) -> Ledger:
    blocks = sheet.spec.layers + sum(group.layers for group in sheet.spec.draft_blocks)
    facts, headless = data_json("llamacpp_weights.json"), data_json("gguf_architectures.json")["headless"]
    rest, experts = [Entry() for _ in range(blocks)], [Entry() for _ in range(blocks)]
    parts = {name: Entry() for name in ("input", "output", "first", "everywhere", "lazy")}
    # LFM2's files call their output norm by the name of another one.
    misnamed = "token_embd_norm.weight" if sheet.spec.architecture in facts["output_norm_misnamed"] else ""
    for name, tensor in sheet.tensors.items():
        match = IN_BLOCK.match(name)
        if match:
            index = int(match[1])
            if index < blocks:
                sort = experts if EXPERTS.match(match[2]) else rest
                _enter(sort[index], tensor, buffers, no_kernel=match[2] == "ssm_a" and not _scans(sheet, index, buffers.kind))
            continue
        if name.startswith(INPUT):
            lazy = name in facts["lazy"].get(sheet.spec.architecture, ()) and tensor.bytes > facts["lazy_bytes"]
            part = "lazy" if lazy else "input"
        elif name == misnamed or name.startswith(OUTPUT):
            part = "output"
        else:
            part = "everywhere" if name in facts["rotation"] else "first"
        if name not in facts["unused"]:
            _enter(parts[part], tensor, buffers, looked_up=part in ("input", "lazy"))
    head, embedding = Entry(), sheet.tensors.get("token_embd.weight")
    if embedding is not None and "output.weight" not in sheet.tensors and sheet.spec.architecture not in headless:
        _enter(head, embedding, buffers)
    full_only = sheet.spec.architecture in facts["rotation_full_only"]
    rotates = tuple(i for i, block in enumerate(sheet.blocks) if not (full_only and any(getattr(p, "window", 0) for p in block.mixers)))
    return Ledger(rest, experts, head=head, rotates=rotates, **parts)


def _enter(entry: Entry, tensor: Tensor, buffers: Buffers, looked_up: bool = False, no_kernel: bool = False) -> None:
    stored, host = tensor.bytes, data_json("llamacpp_backends.json")["host_alignment"]
    if no_kernel:
        entry.stays += round_up(stored, host)
    else:
        entry.device += device_bytes(tensor, buffers.kind)
        entry.device_raw += stored
        join(entry.device_extents, _extent(tensor))
    packed = None if looked_up else packed_bytes(tensor, buffers.features)
    if packed is not None:
        entry.packed += round_up(packed, host)
    else:
        entry.plain += round_up(stored, host)
        entry.raw += stored
        join(entry.extents, _extent(tensor))


def _extent(tensor: Tensor) -> Extents:
    return {} if tensor.offset is None else {tensor.file: (tensor.offset, tensor.offset + tensor.bytes)}


def join(into: Extents, other: Extents) -> None:
    """Widens `into` so that it reaches over `other` too."""
    for file, (first, last) in other.items():
        before = into.get(file)
        into[file] = (first, last) if before is None else (min(first, before[0]), max(last, before[1]))


def reach(extents: Extents) -> int:
    """Bytes from the first to the last, over all files."""
    return sum(last - first for first, last in extents.values())


def device_bytes(tensor: Tensor, kind: str) -> int:
    """Bytes of a weight in a device's buffer: aligned, and one padded row when rows are quantised."""
    assert tensor.type is not None
    return int(round_up(tensor.bytes + row_padding(quant(tensor.type), tensor.shape[0], kind), alignment(kind)))


def alignment(kind: str) -> int:
    """Bytes that tensors in a device's buffer are aligned to."""
    return int(data_json("llamacpp_backends.json")["kinds"][kind]["alignment"])


def row_padding(type: Quant, row: int, kind: str) -> int:
    """Bytes added once per quantised tensor whose rows are no multiple of the device's padding."""
    padding = data_json("llamacpp_backends.json")["kinds"][kind]["row_padding"]
    if type.block == 1 or not padding or row % padding == 0:
        return 0
    return int(type.row_bytes(padding - row % padding))


def _scans(sheet: Sheet, index: int, kind: str) -> bool:
    """Whether the device has a kernel for this block's state-space scan; where nothing is known, it has."""
    known = data_json("llamacpp_backends.json")["kinds"][kind]["scan"]
    if known is None or index >= len(sheet.blocks):
        return True
    for part in sheet.blocks[index].mixers:
        if isinstance(part, Mamba1):
            return part.state in known["mamba1"] and part.inner % 128 == 0
        if isinstance(part, Mamba2):
            return part.state in known["mamba2"] and part.inner // part.heads % 16 == 0
    return True
