"""Whether there is room for what is to come, asked before the first byte."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from sizeup.errors import SizeupError, Unavailable
from sizeup.units import show_bytes

from .item import Item

SPARE_BYTES = 64 << 20
"""Left free: a full disk breaks more than a download."""


def missing_bytes(items: Iterable[Item]) -> int:
    """Bytes that are still to be written; what lies in unfinished files counts as here."""
    total = 0
    for item in items:
        if not item.path.exists():
            total += max(0, item.bytes - _held(part_of(item)))
    return total


def part_of(item: Item) -> Path:
    """The unfinished file; its name says what it is to become, so that an older one of the same name is never gone on with."""
    tag = (item.expected or "unchecked")[:12]
    return item.scratch / f"{item.path.name[:150]}.{tag}.part"


def check_room(folder: Path, bytes: int) -> None:
    """Raise Unavailable when the disk of `folder`, which may not be there yet, has no room for so many more bytes."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    if free < bytes + SPARE_BYTES:
        raise Unavailable(
            f"{show_bytes(bytes)} are to be written, and the disk of {folder} has {show_bytes(free)} free.",
            "a folder on another disk, by --to",
        )


def in_words(error: OSError, path: Path) -> SizeupError:
    """What a disk says, in words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Unavailable(f"The disk of {path.parent} is full. What came is kept.", "make room, then the same command")
    return Unavailable(f"{path} cannot be written: {error.strerror or error}.", "a folder of yours, by --to")


def _held(path: Path) -> int:
    try:
        return os.stat(path).st_blocks * 512
    except (OSError, AttributeError):
        return 0
