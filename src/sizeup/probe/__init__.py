"""The machine: this one, read from the system, or one that a person describes."""

from __future__ import annotations

from sizeup.hardware import Machine


def machine(what: str | None = None, *, ram: int | str | None = None, measure: bool = False, files: bool = True) -> Machine:
    """A machine with its pools, devices, disks and limits, each with its source.

    `what` None is the machine that this runs on; otherwise a preset (`raspberry-pi-5-8gb`), a card or chip
    (`rtx-4090`, `2x rtx-3090 nvlink`, `m3-max-64gb`, a published device name) or the path of a TOML file (docs/machines.md).
    `ram` sets the host memory of a described machine. `measure` times this machine's memory, a quarter second, and keeps it.
    `files` False reads no TOML file, whatever lies there.

    Raises NotFound with the nearest names, Unreadable for a broken file, UserError for a contradiction. Trouble in reading
    this machine is a warning on it, never an error.
    """
    if what is not None and what.lower() in ("this", "here", "this machine"):
        what = None
    if what is None:
        from .here import this_machine

        found = this_machine(measure=measure)
    else:
        from .described import described

        found = described(what, ram, files)
    if what is None and not found.devices and found.cpu is not None and found.cpu.architecture == "x86_64":
        return found  # the table costs a few milliseconds, and has nothing to tell here
    from .specified import specified

    return specified(found)


def details(machine: Machine, measure: bool = False) -> Machine:
    """This machine with what takes a moment to ask and no plan needs: memory modules, the programs that hold most memory.

    `measure` times the disk of sizeup's data folder as well, about two seconds, and keeps the rate; the file it writes there is removed.
    """
    from dataclasses import replace

    from . import disk_read
    from .detailed import with_details

    detailed = with_details(machine)
    return replace(detailed, disks=disk_read.measure(detailed.disks)) if measure else detailed
