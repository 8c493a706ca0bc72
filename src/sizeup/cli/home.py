"""sizeup alone: this machine, and the best models for it."""

from __future__ import annotations

from .models import show
from .verb import Asked, Verb


def home(asked: Asked) -> None:
    """Print this machine in a line and its ranking."""
    show(asked)


command = Verb("home", home, [])
