"""sizeup model M: what was read of a model, from where."""

from __future__ import annotations

from sizeup.operations.things import MODEL, Model

from .settings import verb
from .verb import Asked


def tell(asked: Asked, answer: Model) -> None:
    """Print what is known of a model, layer by layer."""
    from sizeup import render

    asked.say(render.model(asked.page, answer.spec))


command = verb(MODEL, tell)
