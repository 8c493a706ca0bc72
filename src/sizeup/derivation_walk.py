"""The walk of a Figure graph, told in words: named steps become lines with their formula, leaves "value, from where".

The explanation is the computation, replayed: nothing here restates a formula. Words are message keys, so a derivation
reads in every language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .derivation_line import Line, value_text
from .facts import Source
from .figure import Figure, plain
from .i18n import Texts
from .page import cells

SHORT_OPTIONS, SHORT_CELLS = 3, 160
"""A maximum or minimum with no more options and no wider than this stands inside its formula."""

MOST_TERMS = 6
"""Terms of a sum that are told one by one; the rest is one number."""


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
        if op == "round up":
            return f"⌈{self.expression(number.args[0], below)}⌉"
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


_COUNTS = (
    "_state",
    "_values",
    "_tokens",
    "_cells",
    "_slots",
    "_rows",
    "_layers",
    "_streams",
    "_heads",
    "_flops",
    "_hours",
    "_parameters",
    "_loss",
    "_mfu",
)
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
