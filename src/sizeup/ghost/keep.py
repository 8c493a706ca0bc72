"""Ghosts that the user keeps: a folder that other programs take for a model, written into a place with room for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from sizeup.errors import Unavailable, UserError
from sizeup.units import show_bytes

from .keepsake import File, Keepsake
from .room import has_holes, room

SPARE_BYTES = 1 << 26
"""What a disk keeps free beside a ghost of holes."""


def check(ghost: Keepsake, where: Path, max_disk: int | None = None) -> None:
    """Raises UserError for a folder that is not empty, Unavailable where there is no room or no sparse files; writes nothing."""
    if where.exists() and not where.is_dir():
        raise UserError(f"{where} is a file.", "--to FOLDER with a new folder")
    there = next(folder for folder in (where, *where.absolute().parents) if folder.is_dir())
    if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        raise UserError(f"You may not write to {there}.", "--to FOLDER in a folder of yours")
    if there == where and any(where.iterdir()):
        raise UserError(f"The folder {where} is not empty.", "--to FOLDER with a new folder")
    free = room(there, max_disk, SPARE_BYTES)
    if ghost.disk_bytes > free:
        raise Unavailable(
            f"The ghost takes {show_bytes(ghost.disk_bytes)} of disk, and {show_bytes(free)} may be used.", "--to FOLDER on another disk"
        )
    if ghost.file_bytes > ghost.disk_bytes and not has_holes(there):
        raise Unavailable(
            f"The disk of {there} keeps no sparse files: the ghost would really take {show_bytes(ghost.file_bytes)}.",
            "--to FOLDER on another disk",
        )


def keep(ghost: Keepsake, where: Path, max_disk: int | None = None) -> None:
    """Write the ghost into a new or empty folder; after an error, nothing of it is left."""
    check(ghost, where, max_disk)
    made = not where.exists()
    try:
        where.mkdir(parents=True, exist_ok=True)
        for file in ghost.files:
            with (where / file.name).open("xb") as out:
                out.write(file.content)
                out.truncate(file.file_bytes)
    except BaseException as error:
        _undo(ghost.files, where, made)
        if isinstance(error, OSError):
            raise Unavailable(
                f"The ghost cannot be written to {where}: {error.strerror or error}.", "--to FOLDER on another disk"
            ) from None
        raise


def _undo(files: Sequence[File], where: Path, made: bool) -> None:
    if made:
        shutil.rmtree(where, ignore_errors=True)
        return
    for file in files:
        (where / file.name).unlink(missing_ok=True)
