"""One sizeup at a time writes to an unfinished file. The system drops the lock of a killed one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sizeup.net.waits import Stopped

ASKED_EVERY_S = 0.2


@contextmanager
def locked(path: Path, stop: threading.Event, waiting: Callable[[], None]) -> Iterator[int]:
    """The file at `path`, open and locked; made when it is not there. `waiting` is called once when another one has it."""
    told = False
    while True:
        # Whoever finishes removes the folder when it is empty, also between these two lines.
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except FileNotFoundError:
            continue
        try:
            if _try(file) and _still(file, path):
                yield file
                return
        finally:
            os.close(file)
        if not told:
            waiting()
            told = True
        if stop.wait(ASKED_EVERY_S):
            raise Stopped


def _try(file: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _still(file: int, path: Path) -> bool:
    """Whether the file that was opened still has this name: whoever held the lock before may have finished and removed it."""
    try:
        there = os.stat(path)
    except OSError:
        return False
    mine = os.fstat(file)
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)
