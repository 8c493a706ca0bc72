"""The lines of a derivation: what each one says, and how a tree of them is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NotRequired, TypedDict

from .facts import Source
from .i18n import texts
from .page import Page, cells, indented
from .shape import as_json
from .units import show_bytes


class LineJson(TypedDict):
    """A line for programs."""

    name: str
    label: str
    value: int | float
    unit: str | None
    shown: str
    """The value with its unit, as a person reads it."""
    formula: NotRequired[str]
    source: NotRequired[Source]
    below: NotRequired[list[LineJson]]
    binds: NotRequired[bool]
    """Of several that compete for a maximum or minimum, the one that counts."""
    again: NotRequired[bool]
    """Told already further up."""


class DerivationJson(TypedDict):
    """An explanation for programs: one tree for each number asked for."""

    derivation: list[LineJson]


@dataclass(frozen=True, slots=True)
class Line:
    """One named number: its value, how it was made, and the lines that it rests on."""

    name: str
    label: str
    value: int | float
    unit: str
    """"B" for bytes, "" for a count."""
    formula: str = ""
    below: tuple[Line, ...] = ()
    source: Source | None = None
    binds: bool = False
    """Of several that compete for a maximum or minimum, the one that counts."""
    again: bool = False
    """Told already further up; its own lines are not repeated."""
    shown: str = ""
    """The value in words where it is no count and no bytes (a range, a rate)."""

    def told(self, units: str) -> str:
        """The value as a person reads it."""
        return self.shown or value_text(self.value, self.unit, units)

    def to_json(self, units: str = "iec") -> LineJson:
        content: LineJson = {
            "name": self.name,
            "label": self.label,
            "value": self.value,
            "unit": self.unit or None,
            "shown": self.told(units),
        }
        if self.formula:
            content["formula"] = self.formula
        if self.source is not None:
            content["source"] = as_json(self.source)
        if self.below:
            content["below"] = [line.to_json(units) for line in self.below]
        if self.binds:
            content["binds"] = True
        if self.again:
            content["again"] = True
        return content


@dataclass(frozen=True)
class Derivation:
    """The lines of an explanation, one tree per number asked for; `str()` is 80 columns of plain text."""

    lines: tuple[Line, ...]
    language: str = "en"
    units: str = "iec"

    def __str__(self) -> str:
        return self.text(Page(texts(self.language), units=self.units))

    def text(self, page: Page) -> str:
        """The derivation drawn on a page."""
        drawn: list[str] = []
        for line in self.lines:
            drawn += ["", *_draw(page, line, 0)]
        return "\n".join(text.rstrip() for text in drawn)

    def to_json(self) -> DerivationJson:
        return {"derivation": [line.to_json(self.units) for line in self.lines]}


def _draw(page: Page, line: Line, depth: int) -> list[str]:
    """The lines of a tree: names indented by depth, formulas under them; leaves on one line with their source."""
    t = page.texts
    edge = "  " + "  " * min(depth, 12)
    value = line.told(page.units)
    if line.unit == "B" and abs(line.value) >= 100_000 and depth == 0:
        value += f" ({line.value:,} B)"
    head = f"{line.label}  {value}" if line.below or line.formula or not line.source else f"{value} {line.label}"
    tail = [_from(page, line.source)] if line.source is not None else []
    tail += [t("why.above")] if line.again else []
    tail += [t("why.binds")] if line.binds else []
    words = head + (("  · " + t("list.comma").join(tail)) if tail else "")
    lines = indented(words, page.width, edge, edge + "  ")
    if depth == 0:
        lines = [page.paint(text, "strong") for text in lines]
    if line.formula:
        equals = f"{edge}  = "
        lines += indented(line.formula, page.width, equals, " " * cells(equals))
    for below in line.below:
        lines += _draw(page, below, depth + 1)
    return lines


def _from(page: Page, source: Source) -> str:
    where = page.texts("list.comma").join(word for word in (page.texts.sentence(source.where), source.date) if word)
    kind = page.texts(f"kind.{source.kind}")
    return page.texts("why.source", kind=kind, where=where) if where else kind


def value_text(value: int | float, kind: str, units: str) -> str:
    """A number as a formula shows it: bytes short enough are exact, larger ones rounded; counts with separators."""
    if kind == "B":
        return f"{value:,} B" if abs(value) < 100_000 else show_bytes(value, units)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
