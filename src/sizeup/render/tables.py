"""Tables: rankings, and pairs of a name and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from sizeup.page import Page, cells, cut, indented, pad, right

EDGE = "  "
GAP = 2
NARROWEST = 12
"""Cells that a column whose cells may take several lines keeps on any page."""


class Column(NamedTuple):
    """One column: its title, its cells, to which side it leans, and how narrow it may get (0: it keeps its width)."""

    title: str
    cells: Sequence[str]
    right: bool = False
    least: int = 0
    rank: int = 0
    """Columns of the highest rank are left out first when the page is too narrow; 0 always stays."""
    wraps: bool = False
    """Whether a cell that is too wide takes several lines, in place of being cut; such a column gives way below `least` in the end."""


def table(page: Page, columns: Sequence[Column]) -> list[str]:
    """The rows of a table that fits the page: ranked columns are left out until the others fit at their narrowest."""
    shown = [column for column in columns if any(column.cells)]
    room = page.width - len(EDGE)

    def excess(widths: Sequence[int]) -> int:
        return sum(widths) + GAP * (len(widths) - 1) - room

    while excess([min(c.least, _natural(c)) if c.least else _natural(c) for c in shown]) > 0 and any(c.rank for c in shown):
        del shown[max(range(len(shown)), key=lambda i: shown[i].rank)]
    widths = [_natural(column) for column in shown]
    for index, column in enumerate(shown):
        if column.least and excess(widths) > 0:
            least = NARROWEST if column.wraps else column.least
            widths[index] = max(min(least, widths[index]), widths[index] - excess(widths))
    titles = _row([column.title for column in shown], shown, widths) if any(c.title for c in shown) else []
    lines = [page.paint(line, "dim") for line in titles]
    for row in zip(*(column.cells for column in shown), strict=True):
        lines += _row(row, shown, widths)
    return lines


def _natural(column: Column) -> int:
    return max(cells(column.title), *(cells(cell) for cell in column.cells))


def _row(row: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> list[str]:
    """One line, or as many as the cell that wraps into most takes."""
    parts = [
        indented(cell, w, "", EDGE) if c.wraps and cells(cell) > w else [cut(cell, w)]
        for cell, c, w in zip(row, columns, widths, strict=True)
    ]
    lines = []
    for line in zip_longest(*parts, fillvalue=""):
        words = [(right if c.right else pad)(cell, w) for cell, c, w in zip(line, columns, widths, strict=True)]
        lines.append((EDGE + (" " * GAP).join(words)).rstrip())
    return lines


def pairs(page: Page, rows: Sequence[tuple[str, str]]) -> list[str]:
    """Names at the left, what is known at the right, wrapped under itself."""
    known = [(name, value) for name, value in rows if value]
    width = min(max((cells(name) for name, _ in known), default=0), page.width // 3)
    lines = []
    for name, value in known:
        lines += indented(value, page.width, EDGE + pad(cut(name, width), width) + "  ")
    return lines
