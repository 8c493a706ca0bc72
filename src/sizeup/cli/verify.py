"""sizeup verify LOG: what an engine's log says, beside what is predicted for its settings."""

from __future__ import annotations

from sizeup.operations.verify import VERIFY, Logs

from .settings import verb
from .verb import Asked


def tell(asked: Asked, answer: Logs) -> None:
    """Print every start, one under the other."""
    from sizeup.render.verify import start

    for one in answer.starts:
        asked.say(start(asked.page, one))


command = verb(VERIFY, tell)
