"""sizeup explain WORD: a term of the field in three sentences, worked out on this machine, and where to go next."""

from __future__ import annotations

from sizeup.operations.explain import EXPLAIN, Term, Terms

from .settings import verb
from .verb import Asked


def tell(asked: Asked, answer: Term | Terms) -> None:
    """Print one term, or the list of them."""
    from sizeup.render.term import term, terms

    asked.say(terms(asked.page) if isinstance(answer, Terms) else term(asked.page, answer.entry, answer.example, answer.command))


command = verb(EXPLAIN, tell)
