"""The compute buffers of any placement, laid out as the engine does: on devices, on the host, or partly on each.

Counted: one buffer per device and one in host memory, for the batch the engine reserves at start. Not counted: what
backends take beside ggml's buffers (kernel workspaces, the CPU's work buffer), and the output buffer.
"""

from __future__ import annotations

import functools

from .graph.model import write
from .graph.placing import Buffer, lay_out
from .graph.schedule import schedule
from .graph.sheet import Homes, Sheet
from .graph.writer import Run, Writer

DEVICE_ALIGNMENT = 128
HOST_ALIGNMENT = 32


def buffers(sheet: Sheet, run: Run, homes: Homes, offload: bool = True, pipeline: bool = False) -> list[Buffer]:
    """Every backend's buffer after laying out the graph: devices in order, then the host."""
    writer = Writer(run, sheet, homes)
    write(writer, sheet, homes)
    plan = schedule(writer.graph, homes.cpu, offload, pipeline)
    made = [Buffer(DEVICE_ALIGNMENT, True) for _ in range(homes.cpu)] + [Buffer(HOST_ALIGNMENT, False)]
    lay_out(plan.leaves, plan.steps, made)
    return made


@functools.lru_cache(maxsize=4096)
def buffer_bytes(sheet: Sheet, run: Run, homes: Homes, offload: bool = True, pipeline: bool = False) -> tuple[int, ...]:
    """Bytes of every backend's compute buffer: devices in order, then the host."""
    return tuple(buffer.bytes for buffer in buffers(sheet, run, homes, offload, pipeline))
