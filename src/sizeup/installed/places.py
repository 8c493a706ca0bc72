"""Which disk a model lies on, and how fast that disk reads: what was measured before, else a moment's read of a model that is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sizeup.hardware import Disk
from sizeup.probe import disk as disks
from sizeup.probe import disk_read

from .entry import Stored

SECONDS = 0.5
HOLLOW = 0.9
"""A file with a smaller share of its bytes on the disk has holes, which cost no reading."""


def disks_of(paths: Iterable[Path]) -> tuple[Disk, ...]:
    """A row for each filesystem that holds one of these, with the rate that was measured before."""
    found, _ = disks.disks(where=[path.resolve() for path in paths])
    return disk_read.rated(found)


def under(path: Path, known: Sequence[Disk]) -> Disk | None:
    """The disk that a path lies on, links followed."""
    place = path.resolve()
    above = [disk for disk in known if place.is_relative_to(disk.path)]
    return max(above, key=lambda disk: len(disk.path), default=None)


def measured(known: Sequence[Disk], files: Iterable[Stored]) -> tuple[Disk, ...]:
    """The disks, those without a rate measured on their largest file and kept; nothing is written to them.

    A disk in memory has none, and one whose files are small or hollow none either.
    """
    largest: dict[str, Stored] = {}
    for file in files:
        disk = under(file.path, known)
        if disk is not None and disk.bytes_per_s is None and disk.kind != "memory" and not hollow(file.path):
            best = largest.get(disk.path)
            if best is None or file.bytes > best.bytes:
                largest[disk.path] = file
    for disk in known:
        chosen = largest.get(disk.path)
        rate = disk_read.of_file(chosen.path, disk.bytes, SECONDS) if chosen is not None else None
        if rate is not None:
            disk_read.keep(disk.path, rate)
    return disk_read.rated(tuple(known)) if largest else tuple(known)


def hollow(path: Path) -> bool:
    """Whether a file has holes: a download that keeps its place, or a model of made-up weights."""
    try:
        found = path.stat()
    except OSError:
        return True
    blocks = getattr(found, "st_blocks", None)
    return blocks is not None and blocks * 512 < HOLLOW * found.st_size
