"""The machine: this one, read from the system, or one that a person describes."""

from __future__ import annotations

from sizeup.hardware import Machine


def machine(what: str | None = None, *, ram: int | str | None = None, measure: bool = False) -> Machine:
    """A machine with its pools, devices, disks and limits, each with its source.

    `what` None is the machine that this runs on; otherwise a preset (`raspberry-pi-5-8gb`), a card or chip
    (`rtx-4090`, `2x rtx-3090 nvlink`, `m3-max-64gb`, a published device name) or the path of a TOML file (docs/machines.md).
    `ram` sets the host memory of a described machine. `measure` times this machine's memory, a quarter second, and keeps it.

    Raises NotFound with the nearest names, Unreadable for a broken file, UserError for a contradiction. Trouble in reading
    this machine is a warning on it, never an error.
    """
    if what is None or what.lower() in ("this", "here", "this machine"):
        from .here import this_machine

        return this_machine(measure=measure)
    from .described import described

    return described(what, ram)


def details(machine: Machine, measure: bool = False) -> Machine:
    """This machine with what takes a moment to ask and no plan needs: memory modules, the programs that hold most memory.

    `measure` times the disk of sizeup's data folder as well, about two seconds, and keeps the rate; the file it writes there is removed.
    """
    from dataclasses import replace

    from . import disk_read
    from .details import with_details

    detailed = with_details(machine)
    return replace(detailed, disks=disk_read.measure(detailed.disks)) if measure else detailed
