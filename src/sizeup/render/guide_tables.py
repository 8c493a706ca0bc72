"""The two tables of guides as rows of words, and drawn for a terminal, as Markdown or as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TypedDict

from sizeup.guide_tables import Size, Tier
from sizeup.page import Page, indented

from .names import parameters, short_device, speed_range
from .tables import EDGE, Column
from .tables import table as grid

Rows = tuple[list[str], list[list[str]]]


def size_rows(page: Page, rows: Iterable[Size]) -> Rows:
    """A header and a row for each size of model."""
    t = page.texts
    keys = ("size", "model", "f16", "q8", "quant", "memory", "cheapest", "for")
    found, mixes = [], set()
    for row in rows:
        mixes.add(row.quant)
        boxes = t("list.comma").join(f"{name} (${usd:,.0f})" for name, usd in row.machines) or t("machines.unknown")
        name = f"{row.model.name.rpartition('/')[2]} ({parameters(row.model.parameters)})"
        sizes = [page.bytes(count) for count in (row.full_bytes, row.eight_bytes, row.quant_bytes, row.needed_bytes)]
        found.append([row.name, name, *sizes, boxes, t(f"class.{row.use}")])
    header = [t(f"guide.{key}") for key in keys]
    if len(mixes) == 1:
        header[4] = mixes.pop()
    return header, found


def tier_rows(page: Page, rows: Iterable[Tier]) -> Rows:
    """A header and a row for each tier of machines."""
    t = page.texts
    found = []
    for row in rows:
        decode = row.plan.speed.decode if row.plan is not None else None
        name = short_device(row.machine.name)
        speed = speed_range(page, decode) if decode is not None else ""
        found.append([t(f"tier.{row.name}"), name, row.size or t("guide.nothing"), row.plan.quant if row.plan else "", speed])
    return [t(f"guide.{key}") for key in ("tier", "machine", "largest", "mix", "speed")], found


class TableTold(TypedDict):
    """A table in words, for a screen that lays out by itself."""

    title: str
    header: list[str]
    rows: list[list[str]]
    rule: str


def told(page: Page, which: str, sizes: Sequence[Size], tiers: Sequence[Tier], context_tokens: int) -> TableTold:
    """One of the tables: its title, header, rows and what its figures rest on. `which` is "sizes" or "machines"."""
    header, rows = size_rows(page, sizes) if which == "sizes" else tier_rows(page, tiers)
    title = page.texts(f"guide.title_{which}", tokens=f"{context_tokens:,}")
    return {"title": title, "header": header, "rows": rows, "rule": page.texts(f"guide.rule_{which}")}


def drawn(page: Page, table: TableTold, format: str) -> str:
    """The table in a format: "terminal", "markdown" or "csv"."""
    title, header, body, rule = table["title"], table["header"], table["rows"], table["rule"]
    if format == "csv":
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([header, *body])
        return out.getvalue()
    if format == "markdown":
        lines = [header, ["---"] * len(header), *body]
        return f"### {title}\n\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + f"\n\n{rule}\n"
    drawn_lines = ["", EDGE + page.paint(title, "strong"), "", *grid(page, _columns(header, body))]
    return "\n".join([*drawn_lines, "", *(page.paint(line, "dim") for line in indented(rule, page.width, EDGE))]) + "\n"


def _columns(header: Sequence[str], body: Sequence[Sequence[str]]) -> list[Column]:
    """Columns that a narrow page leaves out from the right; the first two and the sizes stay longest."""
    numbers = {2, 3, 4, 5} if len(header) > 5 else set()
    ranks = {1: 4, 7: 3, 6: 1} if len(header) > 5 else {1: 1}
    least = {1: 20, 6: 20} if len(header) > 5 else {0: 10, 1: 10}
    return [
        Column(title, [row[i] for row in body], right=i in numbers, rank=ranks.get(i, 0), least=least.get(i, 0))
        for i, title in enumerate(header)
    ]
