"""The compute buffers of any placement, laid out as the engine does: on devices, in host memory, or partly on each.

Counted: one buffer per device and one in host memory, for the batch that the engine reserves at start. Not counted:
what backends take beside ggml's buffers (kernel workspaces, the CPU's work buffer), and the output buffer.

There is no shorter closed form with this accuracy: with weights in host memory a buffer's size is decided by which
holes weight copies and cache copies leave behind, so the allocator itself is the formula (see `graph.placing`).
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from ...figure import Figure, Number, leaf, plain
from ...layers import Attention, CompressedAttention, LatentAttention
from ...plan import Claim
from ...quant import quant
from .graph.families import family
from .graph.model import write
from .graph.placing import Buffer
from .graph.schedule import GROUPED_CELLS, OFFLOAD_ROWS, flash_kernel, schedule
from .graph.sheet import Homes, Sheet
from .graph.tensors import Node
from .graph.writer import Run, Writer
from .layout import buffer_bytes, buffers
from .placement import pool
from .settings import Settings
from .slots import Slots, cells

NEVER_FLASH = ("grok",)
"""Architectures for which the engine turns flash attention off (llama_init_from_model)."""

VERIFIED, NEAREST = 0.0, 0.1
"""Stated bands: graphs compared with the engine's are exact; others follow the nearest known architecture."""


def offload_claims(page: Sheet, settings: Settings, made: Slots, where: Homes) -> tuple[Claim, ...]:
    """One claim per compute buffer, for any placement."""
    parts = [p for block in page.blocks for p in block.mixers if isinstance(p, (Attention, CompressedAttention)) and p.window]
    windowed = cells(parts[0].window, settings, made, shared=isinstance(parts[0], Attention)) if parts else 0
    numbers = (made.graph_tokens, made.sequences, made.streams, made.output_rows, made.sequence_tokens, windowed)
    kind = family(page.spec.architecture)
    within = VERIFIED if kind.compared and (kind.devices or not where.cpu) else NEAREST
    found = buffer_numbers(page, settings, where, numbers)
    return tuple(Claim("compute", pool(backend, where), bytes, within) for backend, bytes in enumerate(found))


def buffer_numbers(page: Sheet, settings: Settings, where: Homes, numbers: tuple[Number, ...]) -> tuple[Number, ...]:
    """Bytes of every buffer for numbers of any kind: int, figure or column."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and any(isinstance(number, numpy.ndarray) for number in numbers):
        rows = numpy.broadcast_arrays(*numbers)
        found = [_bytes(page, settings, where, tuple(int(n) for n in row)) for row in zip(*(r.ravel() for r in rows), strict=True)]
        return tuple(numpy.array(column).reshape(rows[0].shape) for column in zip(*found, strict=True))
    bare = tuple(int(plain(number)) for number in numbers)
    if any(isinstance(number, Figure) for number in numbers):
        return tuple(explained(buffer) for buffer in _buffers(page, settings, where, bare, record=True))
    return _bytes(page, settings, where, bare)


def _bytes(page: Sheet, settings: Settings, where: Homes, numbers: tuple[int, ...]) -> tuple[int, ...]:
    page = _drawn(page, where)
    return buffer_bytes(page, _run(page, settings, where, numbers), where, settings.op_offload, pipelined(settings, where))


def _drawn(page: Sheet, where: Homes) -> Sheet:
    """The page whose graph answers for this one: weights that stay where they lie have no copies, and so their formats do not matter.

    All mixes of a model then share the layouts of the first that was asked for.
    """
    if where.cpu and where.cpu in (*where.layers, *where.experts, where.output):
        return page
    first: Sheet = page.spec.__dict__.setdefault("_drawn_sheet", page)
    return first


def _buffers(page: Sheet, settings: Settings, where: Homes, numbers: tuple[int, ...], record: bool) -> list[Buffer]:
    return buffers(page, _run(page, settings, where, numbers), where, settings.op_offload, pipelined(settings, where), record=record)


def _run(page: Sheet, settings: Settings, where: Homes, numbers: tuple[int, ...]) -> Run:
    tokens, sequences, streams, outputs, ordinary, window = numbers
    off = settings.flash_attention is False or page.spec.architecture in NEVER_FLASH
    run = Run(
        tokens,
        sequences,
        streams,
        outputs,
        ordinary,
        window,
        quant(settings.k),
        quant(settings.v),
        not off,
        pin_norms=tokens < OFFLOAD_ROWS or (where.cpu > 0 and where.cpu not in where.layers),
        embeddings=settings.embeddings,
        transposed=off,
    )
    # Asked for, or forced on by a quantised V cache, it stays on, kernel or not; then the CPU runs it.
    if settings.flash_attention == "auto" and run.flash and where.cpu and run.v.block == 1:
        probe = run._replace(tokens=sequences, outputs=sequences, pin_norms=sequences < OFFLOAD_ROWS or run.pin_norms, embeddings=False)
        # Kernels ask of the cells only whether they come in whole groups, so that one test graph serves every context.
        probe = probe._replace(cells=probe.cells % GROUPED_CELLS or GROUPED_CELLS)
        if not (flash_kernels(page, where) and (where.cpu not in where.layers or flash_stays(page, probe, where, settings.op_offload))):
            return run._replace(flash=False)
    return run


@functools.lru_cache(maxsize=4096)
def flash_stays(page: Sheet, probe: Run, where: Homes, offload: bool) -> bool:
    """Whether the engine keeps flash attention after its test graph of one token per sequence.

    It gives it up when any layer's attention would run on another device than the layer, as happens in hybrid models
    with some blocks in host memory, or with 32 sequences and more.
    """
    writer = Writer(probe, page, where)
    write(writer, page, range(len(page.blocks)))
    schedule(writer.graph, where.cpu, offload)
    return all(node.backend == where.layers[int(node.name)] for node in writer.graph.nodes if node.op == "flash")


def flash_kernels(page: Sheet, where: Homes) -> bool:
    """Whether every device has a flash attention kernel for the attention of its own blocks."""
    for block, home in zip(page.blocks, where.layers, strict=False):
        for part in block.mixers if home != where.cpu else ():
            if isinstance(part, Attention) and not flash_kernel(part.key_dim, part.value_dim, part.heads >= 2 * part.kv_heads):
                return False
            if isinstance(part, CompressedAttention) and not flash_kernel(part.dim, part.dim, part.heads >= 2):
                return False
            if isinstance(part, LatentAttention):
                if part.absorbed and not flash_kernel(part.kv_rank + part.rope_dim, part.kv_rank, part.heads >= 2):
                    return False
                if not part.absorbed and not flash_kernel(part.nope_dim + part.rope_dim, part.value_dim, False):
                    return False
    return True


def pipelined(settings: Settings, where: Homes) -> bool:
    """Several devices that hold everything between them work on several batches at once, with copies of every input."""
    whole = where.cpu > 1 and where.cpu not in where.layers and where.cpu != where.output
    return whole and not settings.cpu_moe_layers and settings.kv_offload


def explained(buffer: Buffer) -> Figure:
    """A buffer's size as the sum of what is alive at its widest moment and the holes between."""
    groups: dict[str, int] = {}
    for node in buffer.widest.values():
        name = role(node)
        groups[name] = groups.get(name, 0) + buffer.room(node)
    gaps = buffer.bytes - sum(groups.values())
    groups["graph_gaps"] = gaps
    parts: list[Any] = [leaf(name, bytes) for name, bytes in groups.items() if bytes]
    total: Figure = (
        functools.reduce(lambda left, right: left + right, parts, leaf("graph_gaps", 0))
        if not parts
        else functools.reduce(lambda left, right: left + right, parts)
    )
    return Figure(buffer.bytes, "step", (total,), "compute_buffer")


def role(node: Node) -> str:
    """What a tensor is in a buffer, as a message key."""
    if node.op != "none" or not node.name:
        return "graph_activations"
    if "kq_mask" in node.name:
        return "graph_masks"
    if node.name.startswith("cache_"):
        return "graph_cache_copies"
    return (
        "graph_inputs" if node.name.startswith(("inp_", "attn_inp_", "self_", "out_ids", "rs_s", "mean", "cls")) else "graph_weight_copies"
    )
