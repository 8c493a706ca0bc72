"""sizeup table sizes|machines: the two tables that every guide prints, for any mix and context."""

from __future__ import annotations

import click

from sizeup.errors import UserError

from .settings import Count
from .verb import Asked, Option, Verb


def table(asked: Asked, which: str, quant: str | None, context: int, format: str) -> None:
    """Print one of the tables."""
    from sizeup import guide_tables
    from sizeup.api import guide_json
    from sizeup.render import guide_tables as draw

    if which not in ("sizes", "machines"):
        raise UserError(f"“{which}” is not a table of sizeup.", "sizeup table sizes or sizeup table machines")
    if context < 1:
        raise UserError(f"--context = {context} is below 1.", "--context 8192")
    page, t = asked.page, asked.page.texts
    sizes = list(guide_tables.sizes(quant, context)) if which == "sizes" else []
    tiers = list(guide_tables.tiers(quant, context)) if which == "machines" else []
    if asked.json or format == "json":
        asked.say_json(guide_json(sizes, tiers, context))
        return
    rows = draw.size_rows(page, sizes) if which == "sizes" else draw.tier_rows(page, tiers)
    title = t(f"guide.title_{which}", tokens=f"{context:,}")
    asked.say(draw.drawn(page, title, t(f"guide.rule_{which}"), rows, format))


command = Verb(
    "table",
    table,
    [
        click.Argument(["which"], metavar="sizes|machines"),
        Option(["--quant"], metavar="MIX"),
        Option(["--context"], type=Count(), default=8192, metavar="TOKENS"),
        Option(
            ["--format"],
            "table_format",
            type=click.Choice(["terminal", "markdown", "csv", "json"]),
            default="terminal",
            metavar="terminal|markdown|csv|json",
        ),
    ],
)
