"""One stacked bar per pool against its hard line: what is claimed, the doubt hatched, the free room named."""

from __future__ import annotations

from typing import NamedTuple

from sizeup.figure import plain
from sizeup.page import Page, cells, pad
from sizeup.plan import PARTS, Breakdown

GLYPHS = {
    "weights": "█",
    "repacked": "▓",
    "cache": "▒",
    "state": "▚",
    "compute": "░",
    "output": "■",
    "projector": "▞",
    "adapter": "◆",
    "draft": "▙",
    "process": "▪",
    "overhead": "▫",
    "gradients": "▤",
    "optimizer": "▥",
    "master": "▦",
    "activations": "▧",
    "logits": "▨",
    "buffers": "▩",
}
DOUBT = "╱"
RECLAIMABLE = "·"
LINE = "│"


class Segment(NamedTuple):
    """A run of one glyph: a part, the doubt about it, or pages that the system may drop."""

    part: str
    glyph: str
    bytes: int


def segments(breakdown: Breakdown, pool: str) -> list[Segment]:
    """What the bar of a pool stacks: parts in their order, then the width of all bands, then what is reclaimable."""
    sizes: dict[str, int] = {}
    doubt = spare = 0
    for claim in breakdown.claims:
        if claim.pool != pool:
            continue
        count = int(plain(claim.bytes))
        if claim.reclaimable:
            spare += count
            continue
        sizes[claim.part] = sizes.get(claim.part, 0) + count
        doubt += int(count * claim.within)
    parts = [Segment(part, GLYPHS.get(part, "■"), sizes[part]) for part in PARTS if sizes.get(part)]
    return [*parts, *([Segment("doubt", DOUBT, doubt)] if doubt else []), *([Segment("spare", RECLAIMABLE, spare)] if spare else [])]


def memory_bar(page: Page, breakdown: Breakdown, pool: str, limit_bytes: int, width: int) -> list[str]:
    """The bar and the line of names under it, `width` cells wide with the label of the line.

    The hard line stands at `limit_bytes`; a bar that does not fit runs past it.
    """
    stack = segments(breakdown, pool)
    label = page.bytes(limit_bytes)
    room = max(width - cells(label) - 2, 10)
    needed = sum(s.bytes for s in stack if s.part != "spare")
    over = needed > limit_bytes
    whole = max(needed, limit_bytes, 1)
    limit_cell = round(limit_bytes * room / whole)
    counts = spread([s.bytes for s in stack], room / whole, room if over else limit_cell)
    glyphs: list[tuple[str, str]] = [(s.glyph, s.part) for s, count in zip(stack, counts, strict=True) for _ in range(count)]
    glyphs = glyphs[:room]
    drawn = _runs(page, glyphs[: min(limit_cell, len(glyphs))]) + " " * (limit_cell - len(glyphs))
    drawn += page.paint(LINE, "strong") + _runs(page, glyphs[limit_cell:])
    names = _names(page, stack, counts, room)
    if over:
        under = pad("", limit_cell) + "↑ " + label
        # The label of the line takes precedence over names that would collide with it.
        return [drawn, pad(_cut_names(names, limit_cell), limit_cell) + under.lstrip()]
    used = len(glyphs)
    free = page.texts("bar.free", room=page.bytes(limit_bytes - needed))
    start = max(cells(names) + 2 if names else 0, min(used + 2, room - cells(free)))
    under = names
    if start + cells(free) <= width:
        under = pad(names, start) + page.paint(free, "good")
    return [drawn + " " + label, under.rstrip()]


def _cut_names(names: str, width: int) -> str:
    kept = names
    while cells(kept) + 1 > width and kept:
        kept = kept.rstrip().rpartition(" ")[0].rstrip()
    return kept


def spread(sizes: list[int], cells_per_byte: float, most: int) -> list[int]:
    """Whole cells for each size: at least one for anything that is there, edges at their true place otherwise."""
    edges, sum_bytes = [0], 0
    for size in sizes:
        sum_bytes += size
        edges.append(round(sum_bytes * cells_per_byte))
    counts = [max(b - a, 1 if size else 0) for a, b, size in zip(edges, edges[1:], sizes, strict=False)]
    while sum(counts) > max(most, len(counts)):
        widest = max(range(len(counts)), key=counts.__getitem__)
        counts[widest] -= 1
    return counts


def _names(page: Page, stack: list[Segment], counts: list[int], room: int) -> str:
    """Names under their segments where there is space; every row below carries its glyph too."""
    line, at = "", 0
    for segment, count in zip(stack, counts, strict=True):
        if segment.part not in ("doubt", "spare"):
            name = page.texts.named("part", segment.part)
            start = max(at, cells(line) + 1 if line else 0)
            if start < at + count and start + cells(name) <= room and (count >= cells(name) or count > 3):
                line = pad(line, start) + name
        at += count
    return line


def _runs(page: Page, glyphs: list[tuple[str, str]]) -> str:
    drawn, index = "", 0
    while index < len(glyphs):
        end = index
        while end < len(glyphs) and glyphs[end] == glyphs[index]:
            end += 1
        glyph, part = glyphs[index]
        drawn += page.paint(glyph * (end - index), {"doubt": "warn", "spare": "dim"}.get(part, part))
        index = end
    return drawn
