"""sizeup alone: this machine, and the best models for it."""

from __future__ import annotations

from sizeup.operations.models import ranked

from .models import tell
from .settings import say
from .verb import Asked, Verb


def home(asked: Asked) -> None:
    """Print this machine in a line and its ranking."""
    from sizeup import probe

    machine = probe.machine()
    if not all(pool.bytes_per_s for pool in machine.pools):
        # Without a bandwidth there is no speed, and without a speed the ranking would offer what nobody can wait for.
        machine = probe.machine(measure=True)
    say(asked, ranked(machine), tell)


command = Verb("home", home, [])
