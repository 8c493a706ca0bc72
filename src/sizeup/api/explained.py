"""A term of the field as JSON: its sentences, its example with every figure, where to go next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from sizeup.i18n.glossary import Entry, glossary
from sizeup.page import Page

if TYPE_CHECKING:
    from sizeup.examples import Example


class FigureJson(TypedDict):
    """One figure with its unit and how it is known; an interval is a list of two."""

    value: Any
    unit: str
    evidence: str


class ExampleJson(TypedDict):
    """A worked example: its sentence, the kind that worked it out, on what, and what the person's own lacks where another stands in."""

    text: str
    kind: str
    machine: str
    model: str
    instead: list[str]
    figures: dict[str, FigureJson]


class TermJson(TypedDict):
    """One term of the glossary. `text` is its three sentences, which stand apart as well."""

    term: str
    name: str
    theme: str
    text: str
    what: str
    effect: str
    advice: str
    also: list[str]
    see: list[str]
    command: str
    example: ExampleJson


class TermsJson(TypedDict):
    """Every term, and the same under themes."""

    terms: list[str]
    themes: dict[str, list[str]]


def term_json(page: Page, entry: Entry, example: Example, command: str) -> TermJson:
    """A term with its example, in the language of the page."""
    from sizeup.render.term import sentence

    words = glossary(page.texts.language)
    between = " " if words.language == "en" else ""
    return {
        "term": entry.key, "name": entry.name, "theme": entry.theme, "text": between.join((entry.what, entry.effect, entry.advice)),
        "what": entry.what, "effect": entry.effect, "advice": entry.advice, "also": list(entry.also), "see": list(entry.see),
        "command": command, "example": _example(example, sentence(page, words, example)),
    }  # fmt: skip


def _example(example: Example, text: str) -> ExampleJson:
    figures: dict[str, FigureJson] = {
        name: {"value": list(told.value) if isinstance(told.value, tuple) else told.value, "unit": told.unit, "evidence": told.evidence}
        for name, told in example.figures.items()
    }
    machine, model = example.machine.name, example.model.name
    return {"text": text, "kind": example.key, "machine": machine, "model": model, "instead": list(example.instead), "figures": figures}


def terms_json(themes: dict[str, list[Entry]]) -> TermsJson:
    """Every term by its English key."""
    keys = {theme: [entry.key for entry in entries] for theme, entries in themes.items()}
    return {"terms": [key for found in keys.values() for key in found], "themes": keys}
