"""sizeup machine [NAME|FILE]: what was found of a machine, from where; --list: which names are known."""

from __future__ import annotations

import sys

import click

from sizeup.hardware import Machine

from .settings import MachineName
from .verb import Asked, Option, Verb


def machine(asked: Asked, name: str | None, measure: bool, listed: bool, save: str | None) -> None:
    """Print a machine, or the devices whose names hold a word.

    `measure` times this one's memory and disk first and keeps the results; `save` writes the machine down for --on.
    """
    if listed:
        _list(asked, name or "")
        return
    from sizeup import probe

    box = probe.machine(name, measure=True) if measure else probe.machine(name)
    if box.name == "this machine":
        box = probe.details(box, measure)
        if measure:
            _calibrate(asked, box)
    if save is not None:
        from sizeup.probe import machine_writer

        path = machine_writer.save(box, save)
        if not asked.json:
            asked.say(asked.page.texts("machine.saved", path=path) + "\n")
            return
    if asked.json:
        from sizeup.api import machine_json

        asked.say_json(machine_json(box))
        return
    from sizeup import render

    asked.say(render.machine(asked.page, box))


def _calibrate(asked: Asked, box: Machine) -> None:
    """This machine's own rates, from small ghosts on the embedded engine; a note where there is no engine to ask."""
    from sizeup import calibration
    from sizeup.errors import EngineFailed, Unavailable
    from sizeup.ghost.calibrate import calibrate

    shown = not asked.json and sys.stderr.isatty()
    t = asked.page.texts

    def tell(name: str, done: int, whole: int) -> None:
        if shown:
            what = t(f"calibrate.{name}") if t.has(f"calibrate.{name}") else name
            sys.stderr.write(f"\r\x1b[K  {t('calibrate.next', what=what, done=done + 1, whole=whole)}")
            sys.stderr.flush()

    try:
        found = calibrate(box, tell)
    except (EngineFailed, Unavailable) as trouble:
        note = t("calibrate.not", why=t.sentence(trouble.message))
    else:
        calibration.keep(found)
        note = t("calibrate.busy") if found.busy else ""
    if shown:
        sys.stderr.write("\r\x1b[K")
    if note:
        sys.stderr.write(f"  {note}\n")


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
        Option(["--save"], is_flag=False, flag_value="this-machine", metavar="[NAME|FILE]"),
        Option(["--list", "listed"], "devices", is_flag=True),
    ],
)
