"""Room on disks for ghosts, and files that are gone when their process is, however it ends.

A file without a name where the system and the disk's format have them; elsewhere one whose owner holds a lock on it while it
lives, which the next start removes when nobody does. Nothing but such files is ever removed.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sizeup.errors import Unavailable
from sizeup.home import data_dir
from sizeup.units import show_bytes

_numbers = itertools.count(1)

SPARE_BYTES = 2 << 30
"""What a disk keeps free whatever happens."""
PROBE_BYTES = 1 << 26
PREFIX = "sizeup-ghost-"
PLACE = ".place"
"""Ending of the files in `folder()` that remember other folders where ghosts with a name were written."""


def folder() -> Path:
    """Where ghosts stand unless told otherwise; made when it is missing."""
    path = data_dir() / "ghosts"
    path.mkdir(parents=True, exist_ok=True)
    return path


def room(where: Path | None = None, limit: int | None = None, spare: int = SPARE_BYTES) -> int:
    """Bytes that a ghost may take in this folder: the disk's free bytes less a spare, never more than `limit`."""
    free = max(0, shutil.disk_usage(where or folder()).free - spare)
    return free if limit is None else min(free, limit)


def has_holes(where: Path) -> bool:
    """Whether this folder's disk keeps sparse files: what was never written takes no room. Found out by a small nameless one."""
    size = min(PROBE_BYTES, room(where, spare=0) // 2)
    with tempfile.TemporaryFile(dir=where) as file:
        before = shutil.disk_usage(where).free
        file.truncate(size)
        taken = _taken(os.fstat(file.fileno()))
        if taken is None:
            taken = before - shutil.disk_usage(where).free
    return taken < size // 2


def _taken(status: os.stat_result) -> int | None:
    """Bytes that a file really takes; None where the system does not count them."""
    return status.st_blocks * 512 if hasattr(status, "st_blocks") else None


def open_ghost(where: Path) -> tuple[int, str]:
    """A new file that nobody else will touch, and a path that leads to it while its descriptor is open."""
    if sys.platform == "linux":
        try:
            descriptor = os.open(where, os.O_TMPFILE | os.O_RDWR, 0o600)
        except OSError:
            pass  # this disk's format has no nameless files
        else:
            return descriptor, f"/proc/{os.getpid()}/fd/{descriptor}"
    _remember(where)
    while True:
        path = where / f"{PREFIX}{os.getpid()}-{next(_numbers)}.gguf"
        descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
        # Another start may have swept it between these two lines.
        if _lock(descriptor) and path.exists():
            return descriptor, str(path)
        os.close(descriptor)


def close_ghost(descriptor: int, path: str) -> None:
    """Remove the file."""
    os.close(descriptor)
    if not path.startswith("/proc/"):
        Path(path).unlink(missing_ok=True)


def sweep() -> None:
    """Remove what processes that are gone have left, here and in every folder where a ghost with a name ever stood."""
    for note in (None, *folder().glob(f"*{PLACE}")):
        where = folder() if note is None else Path(note.read_text(encoding="utf-8"))
        if not where.is_dir():
            continue  # a disk that is not there now may come back with its ghosts
        left = [path for path in where.glob(f"{PREFIX}*.gguf") if not _swept(path)]
        if note is not None and not left:
            note.unlink(missing_ok=True)


def _remember(where: Path) -> None:
    if where != folder():
        text = str(where.resolve())
        note = folder() / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}{PLACE}"
        note.write_text(text, encoding="utf-8")


def _swept(path: Path) -> bool:
    """Whether the file is gone now: nobody held it any more."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        if not _lock(descriptor):
            return False
        with suppress(OSError):
            path.unlink(missing_ok=True)
        return not path.exists()
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Take the file for this process until it closes it or ends; False when another has it."""
    try:
        import fcntl
    except ImportError:  # Windows keeps an open file from being removed by itself
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # A disk without locks: better a file too many than one less.
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.ENOLCK, errno.ENOTSUP)
    return True


@contextmanager
def sparse_file(raw: bytes, size: int, name: str) -> Iterator[str]:
    """The path of a file that begins with `raw` and is a hole up to `size`, while this lasts.

    On Linux it lies in memory without a name: it is gone with this process, and no disk is touched. Elsewhere it lies with the
    other ghosts. Raises Unavailable where the hole would really take room.
    """
    if sys.platform == "linux" and hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("ghost")
        path = f"/proc/{os.getpid()}/fd/{descriptor}"
    else:
        sweep()
        if not has_holes(folder()):
            raise Unavailable(
                f"The disk at {folder()} keeps no sparse files: the ghost of {name} would really take {show_bytes(size)}.",
                "SIZEUP_HOME=FOLDER with a folder on another disk",
            )
        descriptor, path = open_ghost(folder())
    try:
        write_all(descriptor, raw)
        os.ftruncate(descriptor, size)
        yield path
    finally:
        close_ghost(descriptor, path)


def write_all(descriptor: int, content: bytes) -> None:
    """Write everything: a system may take less than it is given."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
