"""sizeup explain WORD: a term of the field in plain words, and what it does to memory or speed."""

from __future__ import annotations

import click

from sizeup.errors import NotFound

from .verb import Asked, Verb


def explain(asked: Asked, word: tuple[str, ...]) -> None:
    """Print one term, or the list of them."""
    from sizeup import render

    t = asked.page.texts
    if not word:
        names = [str((t.term(key) or {})["name"]) for key in t.terms()]
        asked.say_json({"terms": t.terms()}) if asked.json else asked.say(render.terms(asked.page, names))
        return
    asked_for = " ".join(word)
    entry = t.term(asked_for)
    if entry is None:
        raise NotFound(f"The glossary has no “{asked_for}”.", ", ".join(t.near_terms(asked_for)) or "sizeup explain")
    asked.say_json(entry) if asked.json else asked.say(render.term(asked.page, entry))


command = Verb("explain", explain, [click.Argument(["word"], nargs=-1, metavar="[WORD]")])
