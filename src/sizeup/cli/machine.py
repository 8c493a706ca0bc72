"""sizeup machine [NAME|FILE]: what was found of a machine, from where; --list: which names are known."""

from __future__ import annotations

import click

from .settings import MachineName
from .verb import Asked, Option, Verb


def machine(asked: Asked, name: str | None, measure: bool, listed: bool) -> None:
    """Print a machine, or the devices whose names hold a word; `measure` times this one's memory first and keeps the result."""
    if listed:
        _list(asked, name or "")
        return
    from sizeup import probe

    box = probe.machine(name, measure=True) if measure else probe.machine(name)
    if asked.json:
        from sizeup.api import machine_json

        asked.say_json(machine_json(box))
        return
    from sizeup import render

    asked.say(render.machine(asked.page, box))


def _list(asked: Asked, word: str) -> None:
    from sizeup.probe.described import whole_machines
    from sizeup.probe.table import holding

    parts, machines = holding(word), whole_machines(word)
    if asked.json:
        rows = [part._asdict() | {"source": part.source.where, "date": part.source.date} for part in parts]
        asked.say_json({"devices": rows, "machines": machines})
        return
    from sizeup import render

    asked.say(render.devices(asked.page, parts, machines, word))


command = Verb(
    "machine",
    machine,
    [
        click.Argument(["name"], required=False, metavar="[NAME|FILE]", type=MachineName()),
        Option(["--measure"], is_flag=True),
        Option(["--list", "listed"], "devices", is_flag=True),
    ],
)
