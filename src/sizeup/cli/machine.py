"""sizeup machine [NAME|FILE]: what was found of a machine, from where; --list: which names are known."""

from __future__ import annotations

import sys
from typing import Any

from sizeup.hardware import Machine
from sizeup.operations.things import MACHINE_, Box, Known

from .settings import ask, options, say
from .verb import Asked, Option, Verb


def machine(asked: Asked, measure: bool, save: str | None, **values: Any) -> None:
    """Print a machine, or the devices whose names hold a word.

    `measure` times this one's memory and disk first and keeps the results; `save` writes the machine down for --on.
    """
    if values["list"] or not measure:
        answer = MACHINE_.answer(ask(asked), values)
    else:
        answer = Box(_measured(asked, values["name"]))
    if save is not None and isinstance(answer, Box):
        from sizeup.probe import machine_writer

        path = machine_writer.save(answer.machine, save)
        if not asked.json:
            asked.say(asked.page.texts("machine.saved", path=path) + "\n")
            return
    say(asked, answer, tell)


def tell(asked: Asked, answer: Box | Known) -> None:
    """Print what was found of a machine, from where; or the names that are known."""
    from sizeup import render

    if isinstance(answer, Known):
        asked.say(render.devices(asked.page, answer.parts, answer.machines, answer.word))
    else:
        asked.say(render.machine(asked.page, answer.machine))


def _measured(asked: Asked, name: str | None) -> Machine:
    from sizeup import probe

    box = probe.machine(name, measure=True)
    if box.name == "this machine":
        box = probe.details(box, measure=True)
        _calibrate(asked, box)
    return box


def _calibrate(asked: Asked, box: Machine) -> None:
    """This machine's own rates, from small ghosts on the embedded engine; a note where there is no engine to ask."""
    from sizeup import calibration
    from sizeup.errors import EngineFailed, Unavailable
    from sizeup.ghost.calibrate import calibrate

    shown = not asked.json and sys.stderr.isatty()
    t = asked.page.texts

    def tell(name: str, done: int, whole: int) -> None:
        if shown:
            ghost, _, format = name.partition(" ")
            what = t(f"calibrate.{ghost}", format=format)
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


command = Verb(
    "machine",
    machine,
    [
        *options(MACHINE_.parameters),
        Option(["--measure"], is_flag=True),
        Option(["--save"], is_flag=False, flag_value="this-machine", metavar="[NAME|FILE]"),
    ],
)
