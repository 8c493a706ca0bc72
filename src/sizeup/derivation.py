"""Where a number comes from: the walk of a Figure graph, told in words.

Named steps become lines with their formula, leaves become "value, from where". The explanation is the computation,
replayed: nothing here restates a formula. Words are message keys, so a derivation reads in every language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import UserError
from .facts import Source
from .figure import Figure, plain
from .i18n import Texts, texts
from .page import Page, cells, indented
from .plan import PARTS, Breakdown, Plan
from .units import show_bytes

SPEED_PARTS = ("decode",)
PARTS_TO_ASK = (*PARTS, *SPEED_PARTS, "all")
"""What may stand after --why."""

SHORT_OPTIONS, SHORT_CELLS = 3, 160
"""A maximum or minimum with no more options and no wider than this stands inside its formula."""

MOST_TERMS = 6
"""Terms of a sum that are told one by one; the rest is one number."""


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

    def to_json(self) -> dict[str, Any]:
        content: dict[str, Any] = {"name": self.name, "label": self.label, "value": self.value, "unit": self.unit or None}
        if self.formula:
            content["formula"] = self.formula
        if self.source is not None:
            content["source"] = {"kind": self.source.kind, "where": self.source.where, "date": self.source.date}
        if self.below:
            content["below"] = [line.to_json() for line in self.below]
        return content | ({"binds": True} if self.binds else {}) | ({"again": True} if self.again else {})


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

    def to_json(self) -> dict[str, Any]:
        return {"derivation": [line.to_json() for line in self.lines]}


def explain(thing: Figure | Breakdown | Plan, part: str | None = None, lang: str = "en", units: str = "iec") -> Derivation:
    """How the numbers of a figure, a breakdown or a plan were made; `part` keeps one part ("cache", "decode").

    A plan is computed once more with figures, and the total must come out the same. Raises UserError for a part that
    is not in it, with those that are.
    """
    t = texts(lang)
    if isinstance(thing, Figure):
        return Derivation((Walk(t, units).line(thing),), lang, units)
    if isinstance(thing, Plan):
        return Derivation(tuple(plan_lines(thing, part, t, units)), lang, units)
    return Derivation(tuple(breakdown_lines(thing, part, Walk(t, units))), lang, units)


def plan_lines(plan: Plan, part: str | None, t: Texts, units: str) -> list[Line]:
    """The trees of a plan: its claims replayed with figures, its weights by format, its speed."""
    from .derivation_plan import format_lines, speed_lines
    from .replay import traced_breakdown

    breakdown, walk = traced_breakdown(plan), Walk(t, units)
    lines = [] if part in SPEED_PARTS else breakdown_lines(breakdown, part, walk)
    if part in (None, "weights", "repacked"):
        lines += format_lines(plan, t)
    if part is None or part in SPEED_PARTS:
        lines += speed_lines(plan, walk)
    return lines


def breakdown_lines(breakdown: Breakdown, part: str | None, walk: Walk) -> list[Line]:
    """One tree per claim of the part that was asked for."""
    known = [name for name, count in breakdown.by_part().items() if plain(count)]
    if part is not None and part not in known:
        raise UserError(f"This answer has no part “{part}”.", "--why " + " | ".join(known))
    t, lines = walk.t, []
    for claim in breakdown.claims:
        if plain(claim.bytes) and part in (None, claim.part):
            words = [t.named("part", claim.part)]
            words += [t.named("label", claim.label)] if claim.label else []
            words += [pool_word(t, claim.pool)] if len(breakdown.by_pool()) > 1 else []
            figure = claim.bytes if isinstance(claim.bytes, Figure) else Figure(claim.bytes, "given", (), claim.part)
            lines.append(walk.line(figure, t("list.comma").join(words), claim.part))
    return lines


def pool_word(t: Texts, pool: str) -> str:
    """A pool in words, without the machine's own name for it."""
    kind, _, number = pool.partition(":")
    return t("pool.gpu", number=number) if kind == "vram" else t.named("pool", kind)


@dataclass
class Walk:
    """One walk over a graph: what was told already is not told again."""

    t: Texts
    units: str
    told: dict[Any, Figure] = field(default_factory=dict)
    """Figures by identity (leaves by name and value); held, so that an identity is never used twice."""

    def line(self, figure: Figure, label: str = "", name: str = "", binds: bool = False, kind: str = "") -> Line:
        """The line of one figure and, below it, of everything named that it was made from."""
        named = bool(label or figure.name)
        name = name or figure.name
        inner = figure.args[0] if figure.op == "step" and isinstance(figure.args[0], Figure) else figure
        label = label or self.word(figure)
        again = id(figure) in self.told and figure.op not in ("leaf", "given")
        self.told[id(figure)] = figure
        formula, below = ("", []) if again or figure.op in ("leaf", "given") else self._made(inner, named)
        source = figure.source if isinstance(figure.source, Source) else None
        kind = kind or unit(figure)
        compared = inner.op in ("max", "min")
        lines = tuple(self._below(below, compared, kind if compared else "")) if not again else ()
        return Line(name, label, figure.value, kind, formula, lines, source, binds, again)

    def _made(self, inner: Figure, named: bool) -> tuple[str, list[tuple[Figure, bool]]]:
        """The formula of an unnamed expression, and the figures that need a line of their own."""
        if inner.op in ("max", "min"):
            options = [a if isinstance(a, Figure) else Figure(a) for a in _flat(inner, inner.op)]
            chosen = next(index for index, option in enumerate(options) if option.value == inner.value)
            words = self.t(f"why.{inner.op}") if named else ""
            return words, [(option, index == chosen) for index, option in enumerate(options)]
        below: list[Figure] = []
        return self.expression(inner, below), [(figure, False) for figure in below]

    def _below(self, figures: Sequence[tuple[Figure, bool]], every: bool, kind: str) -> list[Line]:
        """Lines for the figures that a formula names, each once; `every` one where they compete for a maximum."""
        lines, seen = [], set()
        for figure, binds in figures:
            key = (figure.op, figure.name, figure.value) if figure.op == "leaf" else id(figure)
            if key in seen:
                continue
            seen.add(key)
            if not every and figure.op == "leaf" and (key in self.told or figure.source is None):
                continue  # told already, or there is nothing to tell beyond the formula
            if figure.op == "leaf":
                self.told[key] = figure
            lines.append(self.line(figure, binds=binds, kind=kind))
        return lines

    def word(self, figure: Figure) -> str:
        """What a figure is called: the text of its step or leaf, its name, or for an unnamed one its operation."""
        if figure.name:
            return self.t.named("step" if figure.op == "step" else "leaf", figure.name)
        return self.t(f"why.{figure.op}") if figure.op in ("max", "min") else ""

    def expression(self, number: Any, below: list[Figure], outer: int = 0) -> str:
        """An expression as people write it, numbers with their names; what is named goes to `below` as well."""
        if not isinstance(number, Figure):
            return f"{number:,}"
        op = number.op
        if op in ("leaf", "step", "given"):
            below.append(number)
            return self._named(number)
        if op in ("max", "min"):
            return self._extreme(number, below)
        if op == "where":
            return self.expression(number.args[1], below, outer)
        if op in ("+", "×"):
            return self._many(number, below, outer)
        if op == "neg":
            return "−" + self.expression(number.args[0], below, 3)
        left, right = number.args
        if op in ("//", "÷") and plain(right) == 1:
            return self.expression(left, below, outer)
        if op == "round up to" and plain(left) == number.value:
            return self.expression(left, below, outer)
        if op == "round up to":
            words = self.t("why.round", number=self.expression(left, below, 2), step=self.expression(right, below, 2))
            return _bracket(words, 1, outer)
        if op == "ceil÷":
            return _bracket(self.t("why.ceil", number=self.expression(left, below, 2), by=self.expression(right, below, 3)), 1, outer)
        sign = {"//": "÷", "÷": "÷", "-": "−", "mod": "mod"}.get(op, op)
        level = 1 if op == "-" else 2
        text = f"{self.expression(left, below, level)} {sign} {self.expression(right, below, level + 1)}"
        if op == "//" and plain(left) % plain(right):
            return f"⌊{text}⌋"
        return _bracket(text, level, outer)

    def _extreme(self, number: Figure, below: list[Figure]) -> str:
        """A maximum or minimum inside a formula: written out when it is short, else a line of its own."""
        inside: list[Figure] = []
        options = [self.expression(option, inside) for option in _flat(number, number.op)]
        text = f"{number.op}({', '.join(options)})"
        if len(options) <= SHORT_OPTIONS and cells(text) <= SHORT_CELLS:
            below.extend(inside)
            return text
        below.append(number)
        return self._named(number)

    def _many(self, number: Figure, below: list[Figure], outer: int) -> str:
        level = 1 if number.op == "+" else 2
        terms = _flat(number, number.op)
        if number.op == "×":
            terms = [term for term in terms if plain(term) != 1 or (isinstance(term, Figure) and term.op != "leaf")] or terms[:1]
            if len(terms) == 1:
                return self.expression(terms[0], below, outer)
            return _bracket(" × ".join(self.expression(term, below, 2) for term in terms), 2, outer)
        terms = [term for term in terms if plain(term)] or terms[:1]
        if len(terms) == 1:
            return self.expression(terms[0], below, outer)
        if len(terms) > MOST_TERMS:
            first = sorted(terms, key=plain, reverse=True)[: MOST_TERMS - 1]
            rest = sum(plain(term) for term in terms) - sum(plain(term) for term in first)
            words = [self.expression(term, below, 1) for term in first]
            words.append(self.t("why.more", count=len(terms) - len(first), value=self._value(rest, unit(number))))
        else:
            words = [self.expression(term, below, 1) for term in terms]
        return _bracket(" + ".join(words), level, outer)

    def _named(self, figure: Figure) -> str:
        value, word = self._value(figure.value, unit(figure)), self.word(figure)
        return f"{value} {word}" if word else value

    def _value(self, value: int | float, kind: str) -> str:
        return value_text(value, kind, self.units)


def value_text(value: int | float, kind: str, units: str) -> str:
    """A number as a formula shows it: bytes short enough are exact, larger ones rounded; counts with separators."""
    if kind == "B":
        return f"{value:,} B" if abs(value) < 100_000 else show_bytes(value, units)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def unit(figure: Figure) -> str:
    """ "B" when a figure counts bytes: by its name, else by what it was made from."""
    if figure.op == "leaf" or (figure.op == "step" and figure.name.endswith(_COUNTS)):
        return "B" if figure.name.endswith("_bytes") or figure.name.startswith("graph_") else ""
    if figure.op in ("step", "given"):
        return "B"
    kinds = [unit(a) if isinstance(a, Figure) else "" for a in figure.args]
    if figure.op in ("//", "÷", "ceil÷"):
        return "B" if kinds[0] == "B" and kinds[1] != "B" else ""
    return "B" if "B" in (kinds[1:] if figure.op == "where" else kinds) else ""


_COUNTS = ("_state", "_values", "_tokens", "_cells", "_slots", "_rows", "_layers", "_streams", "_heads")
"""Endings of step names that count something else than bytes."""


def _flat(figure: Figure, op: str) -> list[Any]:
    """The operands of a chain of the same operation, left to right."""
    flat: list[Any] = []
    stack: list[Any] = [figure]
    while stack:
        item = stack.pop()
        if isinstance(item, Figure) and item.op == op:
            stack.extend(reversed(item.args))
        else:
            flat.append(item)
    return flat


def _bracket(text: str, level: int, outer: int) -> str:
    return f"({text})" if level < outer else text


def _draw(page: Page, line: Line, depth: int) -> list[str]:
    """The lines of a tree: names indented by depth, formulas under them; leaves on one line with their source."""
    t = page.texts
    edge = "  " + "  " * min(depth, 12)
    value = line.shown or value_text(line.value, line.unit, page.units)
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
