"""sizeup dataset: how many tokens a file of examples holds, and how many examples which purpose takes."""

from __future__ import annotations

from sizeup.operations.dataset import DATASET, Counted, Purposes

from .settings import verb
from .verb import Asked


def tell(asked: Asked, answer: Counted | Purposes) -> None:
    """Print what a file holds; without one, the purposes."""
    from sizeup.render import dataset as pages

    if isinstance(answer, Counted):
        asked.say(pages.dataset(asked.page, answer.dataset, answer.purposes))
    else:
        asked.say(pages.purposes(asked.page, answer.purposes))


command = verb(DATASET, tell)
