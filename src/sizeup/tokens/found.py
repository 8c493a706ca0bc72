"""What was counted, what could not be, and what was passed over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sizeup.facts import ASSUMED, Source
from sizeup.interval import Interval

Kind = Literal["text", "page", "chat", "document", "pdf", "picture", "audio", "film"]
"""A page is a saved web page; a document is of an office program."""
How = Literal["counted", "estimated", "rule", "unknown"]
"""By the model's own tokenizer; by script; by the model's rule for pictures and recordings; not at all, as it has no such rule."""

NOTHING = Interval(0, 0, 0, Source("given", ""))


@dataclass(frozen=True, slots=True)
class Thing:
    """One file and its tokens. Not counted: what a chat template puts around it."""

    path: str
    kind: Kind
    tokens: Interval
    how: How
    bytes: int
    """Of the file."""
    characters: int = 0
    """Of the text that was counted."""
    encoding: str = ""
    turns: int = 0
    """Messages of a chat."""
    pages: int = 0
    width: int = 0
    height: int = 0
    seconds: float | None = None
    picture_tokens: Interval | None = None
    """Of a PDF whose pages are given as pictures, where the model has a rule for pictures."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was named, or should have counted, and could not be read: the sentence and the way out."""

    path: str
    message: str
    hint: str = ""
    exit_code: int = 4
    """What a program would end with if nothing else had been asked."""


@dataclass(slots=True)
class Tokens:
    """Everything that was named, counted. The whole is the sum of the things; what was skipped is not in it."""

    things: list[Thing] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    passed_over: dict[str, int] = field(default_factory=dict)
    """Why -> files or folders, of those that lie in a folder and are not for reading."""
    tokenizer: str = ""
    """The file that the model's vocabulary is from; "" when texts were estimated."""
    notes: list[str] = field(default_factory=list)

    @property
    def tokens(self) -> Interval:
        """The sum: one number when everything was counted. Errors of one method go the same way, so ends add up."""
        parts = [thing.tokens for thing in self.things]
        source = next((part.source for part in parts if part.low != part.high), parts[0].source if parts else ASSUMED)
        return Interval(sum(p.low for p in parts), sum(p.middle for p in parts), sum(p.high for p in parts), source)

    @property
    def known(self) -> list[Thing]:
        """The things whose tokens are in the sum."""
        return [thing for thing in self.things if thing.how != "unknown"]

    @property
    def exact(self) -> bool:
        """Whether every text was counted by the model's own tokenizer."""
        return all(thing.how in ("counted", "rule") for thing in self.things)

    @property
    def modality(self) -> str | None:
        """What a model must take beside text, in the catalogue's word; None for nothing."""
        seen = any(thing.kind in ("picture", "film") or (thing.kind == "pdf" and thing.how == "rule") for thing in self.things)
        return "image" if seen else "audio" if any(thing.kind == "audio" for thing in self.things) else None

    @property
    def characters(self) -> int:
        return sum(thing.characters for thing in self.things)

    @property
    def bytes(self) -> int:
        return sum(thing.bytes for thing in self.things)
