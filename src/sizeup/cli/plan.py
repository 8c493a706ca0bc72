"""sizeup plan MODEL: what exactly these settings take, nothing searched."""

from __future__ import annotations

from sizeup.operations.plan import EXACT_PLAN, Planned

from .settings import verb
from .verb import Asked


def tell(asked: Asked, answer: Planned) -> None:
    """Print the one plan."""
    from sizeup import render

    asked.say(render.fit(asked.page, answer.plan, [], [], answer.longest_context_tokens))


command = verb(EXACT_PLAN, tell)
