"""texts: the words that a page needs, in one language, from the same catalogue that the command line speaks from."""

from __future__ import annotations

from typing import NamedTuple

from .operation import Ask, Operation
from .parameter import Values

GROUPS = (
    "page", "part", "pool", "bound", "reason", "basis", "better", "class", "compare", "doubt", "evidence", "feeling", "fit", "from", "front",
    "hint", "kind", "label", "language", "layer", "leaf", "level", "list", "machine", "machines", "market", "model", "models", "nearest",
    "option", "place", "plan", "pretrain", "purpose", "reach", "speed", "step", "task", "term", "time", "together", "tower", "train", "unit",
    "upgrade", "why", "wish", "bar", "error", "verb",
)  # fmt: skip
"""Beginnings of the keys that a page shows; help and progress of a terminal are left out."""


class Words(NamedTuple):
    """Message keys with their texts."""

    messages: dict[str, str]
    met: bool = True

    def to_json(self) -> dict[str, str]:
        return self.messages


def texts(ask: Ask, values: Values) -> Words:
    """Message keys with their texts, flat."""
    return Words(ask.texts.group(GROUPS))


TEXTS = Operation("texts", (), texts, tool=False)
