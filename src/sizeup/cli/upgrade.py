"""sizeup upgrade: what to change first on a machine."""

from __future__ import annotations

from sizeup.operations.upgrade import UPGRADE, Upgrades

from .settings import verb
from .verb import Asked


def tell(asked: Asked, answer: Upgrades) -> None:
    """Print the changes that help most for their price."""
    from sizeup import render

    asked.say(render.upgrades(asked.page, answer.machine, answer.found))


command = verb(UPGRADE, tell)
