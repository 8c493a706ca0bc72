"""sizeup table sizes|machines: the two tables that every guide prints, for any mix and context."""

from __future__ import annotations

import click

from sizeup.operations.table import TABLE, Table

from .settings import verb
from .verb import Asked, Option


def tell(asked: Asked, answer: Table, format: str) -> None:
    """Print one of the tables."""
    from sizeup.render import guide_tables as draw

    if asked.json or format == "json":
        asked.say_json(answer.to_json())
        return
    found = draw.told(asked.page, answer.which, answer.sizes, answer.tiers, answer.context_tokens)
    asked.say(draw.drawn(asked.page, found, format))


command = verb(
    TABLE,
    tell,
    [
        Option(
            ["--format"],
            "table_format",
            type=click.Choice(["terminal", "markdown", "csv", "json"]),
            default="terminal",
            metavar="terminal|markdown|csv|json",
        ),
    ],
)
