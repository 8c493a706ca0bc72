"""What an operation is: a name, what may be asked, and one function that answers for the command line, REST and tools alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sizeup.i18n import Texts, texts

from .parameter import Parameter, Values
from .world import World

if TYPE_CHECKING:
    from sizeup.derivation_line import Derivation, DerivationJson
    from sizeup.page import Page

WHY_ALL = "all"
"""Derive everything, not one part."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks and how: the world to look things up in, the language and units of words, the part to derive."""

    world: World
    texts: Texts
    units: str = "iec"
    why: str | None = None
    tell: Callable[[int, str], None] = lambda done, coming: None
    """Told during long work how much is done and what comes next, "" at its end; only a person at a terminal looks."""
    until: float = math.inf
    """When nobody waits any more, as `time.monotonic` counts; a search that takes long looks at it."""

    @property
    def page(self) -> Page:
        """What words are told for: the language and the units; whoever lays out knows the width."""
        from sizeup.page import Page

        return Page(self.texts, units=self.units)

    @property
    def part(self) -> str | None:
        """The part to derive; None for all of them."""
        return None if self.why == WHY_ALL else self.why


def ask(world: World | None = None, language: str = "en", units: str = "iec", why: str | None = None, until: float = math.inf) -> Ask:
    """An Ask from plain values."""
    return Ask(world or World(), texts(language), units, why, until=until)


class Answer(Protocol):
    """What an operation found: objects for whoever draws them, and the same as JSON."""

    def to_json(self) -> Any:
        """For programs; integers stay integers."""
        ...

    @property
    def met(self) -> bool:
        """Whether what was asked for exists; a program ends with 3 when it does not."""
        ...


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table."""

    name: str
    parameters: tuple[Parameter, ...]
    answer: Callable[[Ask, Values], Answer]
    explained: bool = False
    """Whether it takes `why`."""
    runs: bool = False
    """Whether it starts an engine, so that a server does it only when it was started for that."""
    tool: bool = True
    """Whether assistants get it."""

    @property
    def verb(self) -> str:
        """As it is typed, and as its texts are called."""
        return self.name.replace("_", " ")

    @property
    def posted(self) -> bool:
        """Whether a question holds documents, which no query string is long enough for."""
        return any(parameter.kind.document for parameter in self.parameters)

    def parameter(self, name: str) -> Parameter:
        return next(parameter for parameter in self.parameters if parameter.name == name)


@dataclass(frozen=True, slots=True)
class Derived:
    """How a number was made, in place of the answer."""

    derivation: Derivation
    met: bool = True

    def to_json(self) -> DerivationJson:
        return self.derivation.to_json()


def derived(ask: Ask, thing: Any, whole: bool = False) -> Derived:
    """The derivation of a plan, a breakdown or a figure: of the part that was asked for, or of the `whole` of it."""
    from sizeup.derivation import explain

    return Derived(explain(thing, None if whole else ask.part, ask.texts.language, ask.units))
