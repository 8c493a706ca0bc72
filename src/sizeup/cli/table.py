"""sizeup table sizes|machines: the two tables that every guide prints, for any mix and context."""

from __future__ import annotations

import click

from sizeup.operations.table import TABLE, Table

from .settings import verb
from .verb import Asked, Option


def tell(asked: Asked, answer: Table, format: str) -> None:
    """Print one of the tables."""
    from sizeup.render import guide_tables as draw

    page, t = asked.page, asked.page.texts
    if asked.json or format == "json":
        asked.say_json(answer.to_json())
        return
    rows = draw.size_rows(page, answer.sizes) if answer.which == "sizes" else draw.tier_rows(page, answer.tiers)
    title = t(f"guide.title_{answer.which}", tokens=f"{answer.context_tokens:,}")
    asked.say(draw.drawn(page, title, t(f"guide.rule_{answer.which}"), rows, format))


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
