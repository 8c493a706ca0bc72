"""sizeup explain WORD: a term of the field in plain words, and what it does to memory or speed."""

from __future__ import annotations

from sizeup.operations.explain import EXPLAIN, Term, Terms

from .settings import verb
from .verb import Asked


def tell(asked: Asked, answer: Term | Terms) -> None:
    """Print one term, or the list of them."""
    from sizeup import render

    asked.say(render.terms(asked.page, answer.names) if isinstance(answer, Terms) else render.term(asked.page, answer.entry))


command = verb(EXPLAIN, tell)
