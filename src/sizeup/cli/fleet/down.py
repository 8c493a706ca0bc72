"""sizeup fleet down [NAME]: requests that are being answered end, then the application does."""

from __future__ import annotations

import sys

import click

from sizeup.operations.kinds import NUMBER

from ..settings import of
from ..verb import Asked, Option, Verb


def down(asked: Asked, name: str | None, ray: str, wait: float) -> None:
    """Drain and end one application."""
    from sizeup.api.fleet import served_json
    from sizeup.fleet.serve_down import down as end
    from sizeup.fleet.serve_told import Served

    t = asked.page.texts
    said: list[Served] = []

    def tell(one: Served) -> None:
        if not said and sys.stderr.isatty() and not asked.json:
            said.append(one)
            print(t("fleet.draining", name=one.name), file=sys.stderr, flush=True)

    ended = end(ray, name, wait, tell)
    asked.say_json(served_json(ended)) if asked.json else asked.say(t("fleet.ended", name=ended.name) + "\n")


command = Verb(
    "fleet down",
    down,
    [
        click.Argument(["name"], required=False, metavar="[NAME]"),
        Option(["--ray"], "fleet_ray", default="auto", metavar="HOST:PORT|auto"),
        Option(["--wait"], "fleet_wait", type=of(NUMBER), default=630.0, metavar="SECONDS"),
    ],
)
