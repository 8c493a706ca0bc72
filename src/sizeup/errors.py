"""The errors a person may see. Each is one sentence, one "Try" line and an exit code; none needs a traceback."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class SizeupError(Exception):
    """A mistake or a missing thing that the user can act on.

    `message` names the two facts that clash in one sentence; `hint` completes the line "Try: …".
    """

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UserError(SizeupError):
    """A wrong argument: exit 2."""


class NotFound(SizeupError):
    """No such model, machine, file or fact: exit 4."""

    exit_code = 4


class ClosedModel(NotFound):
    """A model whose weights and size nobody published: exit 4, and the nearest open one in the hint."""


class Unreadable(SizeupError):
    """A file that is there but is broken, hostile or of an unknown format: exit 4."""

    exit_code = 4


class Unavailable(SizeupError):
    """Something outside this program is missing (network, optional package, engine, disk space): exit 5."""

    exit_code = 5


class NotAllowed(SizeupError):
    """Something that this server was not started to do (reading files, running an engine): exit 5."""

    exit_code = 5


class EngineFailed(SizeupError):
    """The engine started and failed; `log` holds its last lines: exit 6."""

    exit_code = 6

    def __init__(self, message: str, hint: str = "", log: str = "") -> None:
        super().__init__(message, hint)
        self.log = log


class Refused(SizeupError):
    """The engine itself refuses this combination of model and settings: exit 2, with the engine's reason."""


class TooSmall(Refused):
    """The engine would not start since memory is short. `breakdown` is what it would take where it was enough, so that a search can
    say how much is missing."""

    def __init__(self, message: str, hint: str, breakdown: Any) -> None:
        super().__init__(message, hint)
        self.breakdown = breakdown


DOES_NOT_FIT = 3
"""Exit code of an answer, not an error: the model does not fit."""


def close_names(word: str, known: Iterable[str], count: int = 3, cutoff: float = 0.6) -> list[str]:
    """Known names that look like the word, best first: what a "Try" line offers after a slip."""
    import difflib

    return difflib.get_close_matches(word, list(known), count, cutoff)
