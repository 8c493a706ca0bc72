"""Things side by side: a mark where a row differs, the better value strong and with a star, the unknown said as such."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sizeup.page import Page, cells, cut, indented, pad, wrap
from sizeup.units import show_bandwidth, show_rate

from .names import parameters, seconds
from .tables import EDGE

if TYPE_CHECKING:
    from sizeup.comparison import Comparison, Row, Value

DIFFERS, BEST = "≠", "*"
NARROWEST = 14
"""Cells that a thing's column needs; where so many have no room, things stand below each other, some at a time."""


def comparison(page: Page, found: Comparison) -> str:
    """One column for each thing; as many side by side as the page has room for."""
    labels = [row_label(page, row) for row in found.rows]
    left = min(max(map(cells, labels)), page.width // 3)
    room = page.width - cells(EDGE) - 2 - left
    at_once = max(1, min(len(found.names), room // (NARROWEST + 2)))
    lines = [""]
    for first in range(0, len(found.names), at_once):
        shown = range(first, min(first + at_once, len(found.names)))
        width = room // len(shown) - 2
        lines += _heads(page, found, shown, left, width)
        for row, label in zip(found.rows, labels, strict=True):
            lines += _row(page, row, label, shown, left, width)
        lines.append("")
    lines += [page.paint(line, "dim") for line in indented(marks(page, found), page.width, EDGE)]
    return "\n".join(lines) + "\n"


def marks(page: Page, found: Comparison) -> str:
    """What the marks mean, and on which machine the models were compared."""
    t = page.texts
    return t(f"compare.marks_{found.kind}", machine=t("machine.this") if found.on == "this machine" else found.on)


def _heads(page: Page, found: Comparison, shown: range, left: int, width: int) -> Iterator[str]:
    names = [wrap(found.names[index], width) for index in shown]
    for line in range(max(map(len, names))):
        words = [pad(cut(name[line] if line < len(name) else "", width), width) for name in names]
        yield (EDGE + "  " + " " * left + "  " + page.paint("  ".join(words), "strong")).rstrip()


def _row(page: Page, row: Row, label: str, shown: range, left: int, width: int) -> Iterator[str]:
    words = [wrap(cell(page, row, index) + (BEST if index in row.best else ""), width) for index in shown]
    for line in range(max(map(len, words))):
        mark = page.paint(DIFFERS, "warn") if row.differs and not line else " "
        name = pad(cut(label, left), left) if not line else " " * left
        cells_of = []
        for index, each in zip(shown, words, strict=True):
            text = pad(each[line] if line < len(each) else "", width)
            cells_of.append(page.paint(text, "good") if index in row.best else text)
        yield f"{EDGE}{mark} {name}  {'  '.join(cells_of)}".rstrip()


def row_label(page: Page, row: Row) -> str:
    from sizeup.plan import PARTS

    return page.texts(f"part.{row.key}" if row.key in PARTS else f"compare.{row.key}")


def cell(page: Page, row: Row, index: int) -> str:
    value = row.values[index]
    if value.value is None:
        return page.texts(f"compare.{value.none or 'unknown'}")
    guess = page.texts("compare.assumed") if value.source is not None and value.source.kind == "assumed" else ""
    return f"{_value(page, row.unit, value)}{guess}"


def _value(page: Page, unit: str, value: Value) -> str:
    t, number = page.texts, value.value
    match unit:
        case "bytes":
            return ("−" if number < 0 else "") + page.bytes(abs(number))
        case "bytes_per_s":
            return f"{show_bandwidth(number)} GB/s"
        case "count" | "tokens":
            return f"{number:,}"
        case "flops_per_s":
            return f"{number / 1e12:,.4g} TFLOPS"
        case "parameters":
            return parameters(number)
        case "s":
            return seconds(page, number)
        case "share":
            return f"{number:.1%}"
        case "tokens_per_s":
            low, high = (show_rate(end) if end is not None else show_rate(number) for end in (value.lower, value.upper))
            return t("speed.rate", range=low if low == high else f"{low}–{high}")
        case "towers":
            return t("list.comma").join(t(f"tower.{kind}") for kind in number.split())
        case "usd_per_h":
            return t("compare.usd_per_h", middle=f"{number:.2f}")
        case "verdict":
            return t("fit.fits") if number else t("fit.no")
        case "watts":
            return f"{number:,.0f} W"
    return t.sentence(str(number))
