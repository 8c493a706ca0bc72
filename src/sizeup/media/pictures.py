"""Ways in which families of models turn a picture into tokens. Each is a formula over width and height in pixels; its numbers are a row's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Way(Protocol):
    """A formula: pixels -> tokens in the prompt, marks in and around the picture counted."""

    def tokens(self, width: int, height: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Every picture is scaled to one size and has one number of tokens."""

    each: int
    marks: int = 0
    """Tokens around them that say where a picture begins and ends."""

    def tokens(self, width: int, height: int) -> int:
        return self.each + self.marks


WAYS: dict[str, type[Way]] = {"fixed": Fixed}
"""The name of a way in media_rules.json -> its formula."""
