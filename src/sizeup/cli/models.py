"""sizeup models: which models of the catalogue suit a machine and a task."""

from __future__ import annotations

from sizeup.operations.models import MODELS, Placed, Ranked

from .settings import verb
from .verb import Asked


def tell(asked: Asked, answer: Ranked | Placed) -> None:
    """Print the best models for a machine, or why one of them has its place."""
    from sizeup.render import ranking as pages

    if isinstance(answer, Placed):
        asked.say(pages.why(asked.page, answer.choice, answer.task))
    else:
        asked.say(pages.models(asked.page, answer.ranking))


command = verb(MODELS, tell)
