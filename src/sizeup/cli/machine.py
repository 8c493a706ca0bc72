"""sizeup machine [NAME|FILE]: what was found of a machine, from where."""

from __future__ import annotations

import click

from .verb import Asked, Option, Verb


def machine(asked: Asked, name: str | None, measure: bool) -> None:
    """Print a machine; `measure` times this one's memory first and keeps the result."""
    from sizeup import probe

    box = probe.machine(name, measure=True) if measure else probe.machine(name)
    if asked.json:
        from sizeup.api import machine_json

        asked.say_json(machine_json(box))
        return
    from sizeup import render

    asked.say(render.machine(asked.page, box))


command = Verb("machine", machine, [click.Argument(["name"], required=False, metavar="[NAME|FILE]"), Option(["--measure"], is_flag=True)])
