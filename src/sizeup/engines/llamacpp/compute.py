"""The compute buffers: the graph the engine reserves at start, laid out as its own allocator does it."""

from __future__ import annotations


from ...figure import plain
from ...model import ModelSpec
from ...plan import Claim
from ...quant import quant
from .compute_offload import buffer_bytes
from .graph.sheet import Homes, Sheet
from .graph.writer import Run
from .placement import pool
from .settings import Settings
from .slots import Slots, cells

WITHIN = 0.02
"""Stated band of the layout: graphs of some architectures follow the nearest known one."""


def compute_claims(sheet: Sheet, settings: Settings, made: Slots, homes: Homes) -> tuple[Claim, ...]:
    """One claim per device and one for host memory."""
    run = graph_run(sheet.spec, settings, made, homes)
    sizes = buffer_bytes(sheet, run, homes, settings.op_offload, pipelined(sheet.spec, settings, homes))
    return tuple(Claim("compute", pool(backend, homes), bytes, WITHIN) for backend, bytes in enumerate(sizes) if bytes)


def graph_run(model: ModelSpec, settings: Settings, made: Slots, homes: Homes) -> Run:
    """The numbers of the reserved graph."""
    window = max((getattr(part, "window", 0) for group in model.groups for part in group.block.mixers), default=0)
    tokens = int(plain(made.graph_tokens))
    run = Run(
        tokens=tokens,
        sequences=int(plain(made.sequences)),
        streams=int(plain(made.streams)),
        outputs=int(plain(made.output_rows)),
        cells=int(plain(made.sequence_tokens)),
        window_cells=int(plain(cells(window, settings, made))),
        k=quant(settings.k),
        v=quant(settings.v),
        flash=settings.flash_attention is not False,
        pin_norms=tokens < 32 or (homes.cpu > 0 and homes.cpu not in (*homes.layers, homes.output)),
        embeddings=settings.embeddings,
        transposed=settings.flash_attention is False,
    )
    return run


def pipelined(model: ModelSpec, settings: Settings, homes: Homes) -> bool:
    """Pipeline parallelism: several devices that hold every layer and the cache (llama-context.cpp)."""
    return homes.cpu > 1 and homes.cpu not in (*homes.layers, homes.output) and settings.kv_offload and homes.layers == homes.experts
