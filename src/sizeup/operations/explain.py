"""explain: a term of the field in plain words, and what it does to memory or speed."""

from __future__ import annotations

from typing import Any, NamedTuple, NotRequired, TypedDict, cast

from sizeup.errors import NotFound

from .operation import Ask, Operation
from .parameter import Parameter, Values


class TermJson(TypedDict):
    """One term of the glossary."""

    term: str
    name: str
    text: str
    also: NotRequired[list[str]]
    see: NotRequired[list[str]]


class TermsJson(TypedDict):
    """Every term."""

    terms: list[str]


class Term(NamedTuple):
    """One term with its entry."""

    entry: dict[str, Any]
    met: bool = True

    def to_json(self) -> TermJson:
        return cast(TermJson, self.entry)


class Terms(NamedTuple):
    """Every term, and its name in the language that was asked in."""

    terms: list[str]
    names: list[str]
    met: bool = True

    def to_json(self) -> TermsJson:
        return {"terms": self.terms}


def explain(ask: Ask, values: Values) -> Term | Terms:
    """One term, or the list of them."""
    t = ask.texts
    if not values["word"]:
        return Terms(t.terms(), [str((t.term(key) or {})["name"]) for key in t.terms()])
    asked_for = " ".join(values["word"])
    entry = t.term(asked_for)
    if entry is None:
        raise NotFound(f"The glossary has no “{asked_for}”.", ", ".join(t.near_terms(asked_for)) or "sizeup explain")
    return Term(entry)


EXPLAIN = Operation("explain", (Parameter("word", key="explain_word", shown="[WORD]", argument=True, many=True),), explain)
