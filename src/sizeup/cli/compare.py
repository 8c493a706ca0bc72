"""sizeup compare A B: models, machines or plans side by side."""

from __future__ import annotations

import click

from .settings import Count, find_machine, machine_options
from .verb import Asked, Option, Verb


def compare(asked: Asked, things: tuple[str, ...], on: str | None, ram: int | None, context: int | None) -> None:
    """Print them side by side, what differs marked."""
    from sizeup.comparison import compare as side_by_side

    box = find_machine(on, ram) if on is not None or ram is not None else None
    found = side_by_side(*things, machine=box, context_tokens=context)
    if asked.json:
        asked.say_json(found.to_json())
        return
    from sizeup.render.comparison import comparison

    asked.say(comparison(asked.page, found))


command = Verb(
    "compare",
    compare,
    [
        click.Argument(["things"], metavar="A B [C…]", nargs=-1),
        *machine_options(),
        Option(["--context"], type=Count(), metavar="TOKENS"),
    ],
)
