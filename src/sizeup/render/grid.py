"""A grid of mixes and contexts as a table: a mark and tokens per second in each cell."""

from __future__ import annotations

from sizeup.facts import data_json
from sizeup.grid import Cell, Grid
from sizeup.page import Page, indented
from sizeup.units import show_rate

from .names import machine_line
from .tables import EDGE, Column, table

MARKS = {"fits": "✓", "tight": "~", "no": "✗", "refused": "–"}
STYLES = {"fits": "good", "tight": "warn", "no": "bad", "refused": "dim"}
ACROSS = 8
"""Contexts side by side; more go into a table below."""


def grid(page: Page, found: Grid) -> str:
    """A row for each mix, a column for each context; what the marks mean below."""
    t = page.texts
    lines = ["", EDGE + page.paint(found.model.name, "strong"), *indented(machine_line(page, found.machine), page.width, EDGE)]
    rows = [found.row(quant) for quant in found.quants]
    for start in range(0, len(found.contexts), ACROSS):
        lines += ["", *table(page, [Column(t("models.quant"), list(found.quants)), *_columns(page, found, rows, start)])]
    share = f"{data_json('preference.json')['tight']['share']:.0%}"
    words = t("grid.marks", fits=MARKS["fits"], tight=MARKS["tight"], no=MARKS["no"], share=share)
    if any(cell.verdict == "refused" for cell in found.cells):
        words += " " + t("grid.refused", mark=MARKS["refused"], why=t.sentence(next(cell.reason for cell in found.cells if cell.reason)))
    return "\n".join([*lines, "", *(page.paint(line, "dim") for line in indented(words, page.width, EDGE))]) + "\n"


def _columns(page: Page, found: Grid, rows: list[list[Cell]], start: int) -> list[Column]:
    numbers = range(start, min(start + ACROSS, len(found.contexts)))
    return [Column(_tokens(found.contexts[at]), [_shown(page, row[at]) for row in rows], right=True) for at in numbers]


def _tokens(count: int) -> str:
    return f"{count // 1024}K" if count % 1024 == 0 else f"{count:,}"


def _shown(page: Page, cell: Cell) -> str:
    speed = cell.speed
    words = [show_rate(speed.tokens_per_s)] if speed is not None else []
    return page.paint(" ".join([*words, MARKS[cell.verdict]]), STYLES[cell.verdict])
