"""Bytes of every compute buffer: a graph is laid out, or its size is read off between two that were.

Every size in a graph is affine in the cells of the cache, and the allocator does nothing with sizes but compare them. Where
each comparison comes out the same for two numbers of cells, it does for all between, and so every buffer is affine there
too. Two layouts that decided everything alike answer for what lies between them.
"""

from __future__ import annotations

import functools
import threading
from bisect import bisect_left
from typing import Any, NamedTuple

from ...layers import CompressedAttention
from .graph.model import write
from .graph.placing import Buffer, lay_out
from .graph.schedule import GROUPED_CELLS, schedule
from .graph.sheet import Homes, Sheet
from .graph.writer import Run, Writer

DEVICE_ALIGNMENT = 128
HOST_ALIGNMENT = 32

FEW, MORE = 3, 5
"""Rounds of a repetition of blocks; when both numbers of rounds lay out alike, so does any other."""


class Anchor(NamedTuple):
    """One graph that was laid out: its cells, the buffers' bytes, a digest of all that was decided."""

    cells: int
    bytes: tuple[int, ...]
    decided: int


class Layouts:
    """Every layout of one graph but for its cells: those that were made, in order, by octaves of cells."""

    def __init__(self, page: Sheet, run: Run, where: Homes, offload: bool, pipeline: bool) -> None:
        self._given = (page, where, offload, pipeline)
        self._run = run
        # Pools come in whole groups of cells: their sizes go up in steps.
        self._stepped = any(isinstance(part, CompressedAttention) for block in page.blocks for part in block.mixers)
        self._octaves: dict[int, list[Anchor]] = {}
        self._checked: set[tuple[int, int]] = set()
        self._lock = threading.Lock()

    def bytes(self, cells: int) -> tuple[int, ...]:
        """Bytes of every backend's buffer with this many cells."""
        # A server answers in several threads, and the list of anchors grows while it is searched.
        with self._lock:
            return self._bytes(cells)

    def _bytes(self, cells: int) -> tuple[int, ...]:
        low = 1 << (cells.bit_length() - 1)
        if self._stepped or low < 4 * GROUPED_CELLS or cells % GROUPED_CELLS:
            return self._lay_out(cells).bytes
        anchors = self._octaves.get(low)
        if anchors is None:
            # One context alone is no reason to look further.
            self._octaves[low] = [found := self._lay_out(cells)]
            return found.bytes
        return self._between(anchors, cells) or self._more(anchors, cells, low)

    def _between(self, anchors: list[Anchor], cells: int) -> tuple[int, ...] | None:
        """Read off between the anchors on both sides, where nothing is decided differently; None where something is."""
        at = bisect_left(anchors, cells, key=_cells)
        if at < len(anchors) and anchors[at].cells == cells:
            return anchors[at].bytes
        if not 0 < at < len(anchors) or anchors[at - 1].decided != anchors[at].decided:
            return None
        left, right = anchors[at - 1], anchors[at]
        if (left.cells, right.cells) not in self._checked:
            # The law needs every size to be affine; one layout in the middle shows that it is.
            middle = _middle(left.cells, right.cells)
            made = self._lay_out(middle)
            if (made.bytes, made.decided) != (_read_off(left, right, middle), left.decided):
                anchors.insert(at, made)
                return self._between(anchors, cells)
            self._checked.add((left.cells, right.cells))
        return _read_off(left, right, cells)

    def _more(self, anchors: list[Anchor], cells: int, low: int) -> tuple[int, ...]:
        """Lay this one out, and one more beside it: the missing end of its octave, or the middle up to the next anchor.

        A power of two itself is no end: sizes that differ everywhere else are equal there.
        """
        found = self._lay_out(cells)
        made = {anchor.cells: anchor for anchor in (*anchors, found)}
        above = min((known for known in made if known > cells), default=0)
        first, last = low + GROUPED_CELLS, 2 * low - GROUPED_CELLS
        more = _middle(cells, above) if above else last if cells < last else first
        if more not in made:
            made[more] = self._lay_out(more)
        anchors[:] = sorted(made.values())
        return found.bytes

    def _lay_out(self, cells: int) -> Anchor:
        page, where, offload, pipeline = self._given
        trace: list[Any] = []
        bytes = lay_out_bytes(page, self._run._replace(cells=cells), where, offload, pipeline, trace)
        return Anchor(cells, bytes, hash(tuple(trace)))


def _cells(anchor: Anchor) -> int:
    return anchor.cells


def _middle(left: int, right: int) -> int:
    return (left + right) // (2 * GROUPED_CELLS) * GROUPED_CELLS


def _read_off(left: Anchor, right: Anchor, cells: int) -> tuple[int, ...]:
    step, span = cells - left.cells, right.cells - left.cells
    return tuple(a + (b - a) * step // span for a, b in zip(left.bytes, right.bytes, strict=True))


@functools.lru_cache(maxsize=1024)
def layouts(page: Sheet, run: Run, where: Homes, offload: bool, pipeline: bool) -> Layouts:
    """The layouts of one graph; `run` without its cells."""
    return Layouts(page, run, where, offload, pipeline)


@functools.lru_cache(maxsize=4096)
def buffer_bytes(page: Sheet, run: Run, where: Homes, offload: bool = True, pipeline: bool = False) -> tuple[int, ...]:
    """Bytes of every backend's compute buffer: devices in order, then the host."""
    return layouts(page, run._replace(cells=0), where, offload, pipeline).bytes(run.cells)


def lay_out_bytes(page: Sheet, run: Run, where: Homes, offload: bool, pipeline: bool, trace: list[Any] | None = None) -> tuple[int, ...]:
    """Bytes of every buffer by laying the graph out; `trace` gets every decision.

    A graph shortened to few rounds is trusted when more rounds change nothing, and made when both are shorter than it.
    """

    def sizes(rounds: int) -> tuple[int, ...]:
        return tuple(buffer.bytes for buffer in buffers(page, run, where, offload, pipeline, rounds=rounds, trace=trace))

    if len(page.kept(where, FEW)) + len(page.kept(where, MORE)) < len(page.blocks):
        short, longer = sizes(FEW), sizes(MORE)
        if short == longer:
            return short
    return sizes(0)


def buffers(
    page: Sheet,
    run: Run,
    where: Homes,
    offload: bool = True,
    pipeline: bool = False,
    *,
    rounds: int = 0,
    record: bool = False,
    trace: list[Any] | None = None,
) -> list[Buffer]:
    """Every backend's buffer after laying out the graph: devices in order, then the host.

    `rounds` shortens repetitions of blocks, 0 writes every block; `record` keeps what is alive at the widest moments.
    """
    writer = Writer(run, page, where)
    write(writer, page, page.kept(where, rounds) if rounds else range(len(page.blocks)))
    plan = schedule(writer.graph, where.cpu, offload, pipeline)
    made = [Buffer(DEVICE_ALIGNMENT, True, trace=trace) for _ in range(where.cpu)] + [Buffer(HOST_ALIGNMENT, False, trace=trace)]
    lay_out(plan.leaves, plan.steps, made, record)
    return made
