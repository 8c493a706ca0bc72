"""sizeup upgrade: what to change first on a machine."""

from __future__ import annotations

from sizeup.errors import UserError

from .settings import Count, find_machine, machine_options, read_model
from .verb import Asked, Option, Verb


def upgrade(asked: Asked, on: str | None, ram: int | None, wanted: tuple[str, ...], context: int, limit: int) -> None:
    """Print the changes that help most for their price."""
    from sizeup import render, upgrades
    from sizeup.api import upgrades_json

    if context < 1 or limit < 1:
        raise UserError("--context and --limit are at least 1.", "--context 8192 --limit 10")
    box = find_machine(on, ram)
    found = upgrades.upgrades(box, [read_model(name, None) for name in wanted], context_tokens=context, limit=limit)
    if asked.json:
        asked.say_json(upgrades_json(box, found))
    else:
        asked.say(render.upgrades(asked.page, box, found))


command = Verb(
    "upgrade",
    upgrade,
    [
        *machine_options(),
        Option(["--for", "wanted"], multiple=True, metavar="MODEL"),
        Option(["--context"], type=Count(), default=8192, metavar="TOKENS"),
        Option(["--limit"], "limit_upgrades", type=Count(), default=10, metavar="N"),
    ],
)
