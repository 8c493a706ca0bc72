"""sizeup pretrain: tokens, hours, devices, money and energy of training a model from nothing."""

from __future__ import annotations

from sizeup.operations.pretrain import PRETRAIN, Pretrained

from .settings import verb
from .verb import Asked


def tell(asked: Asked, answer: Pretrained) -> None:
    """Print the plans side by side."""
    from sizeup.render.pretraining import pretraining

    asked.say(pretraining(asked.page, answer.found))


command = verb(PRETRAIN, tell)
