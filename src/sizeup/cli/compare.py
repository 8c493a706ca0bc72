"""sizeup compare A B: models, machines or plans side by side."""

from __future__ import annotations

from sizeup.operations.compare import COMPARE, Compared

from .settings import verb
from .verb import Asked


def tell(asked: Asked, answer: Compared) -> None:
    """Print them side by side, what differs marked."""
    from sizeup.render.comparison import comparison

    asked.say(comparison(asked.page, answer.comparison))


command = verb(COMPARE, tell)
