"""sizeup tokens FILE…: what real things cost in tokens, what reading them takes, and what looking things up in them takes."""

from __future__ import annotations

from sizeup.operations.tokens import TOKENS, Counted

from .settings import verb
from .verb import Asked


def tell(asked: Asked, answer: Counted) -> None:
    """Print what was counted and what it takes."""
    from sizeup.render.tokens import tokens

    asked.say(tokens(asked.page, answer.found, answer.model, answer.reading, answer.rag))


command = verb(TOKENS, tell)
