"""How fast a disk reads a file from beginning to end, as an engine reads weights: measured on a file of ours, past the system's cache.

The file lies in sizeup's own data folder, the one place it writes to, so it is the disk of that folder that is measured. Linux: O_DIRECT, else
the pages are dropped before the read (posix_fadvise). macOS: F_NOCACHE. Windows has neither through Python, so nothing is measured there.
What a host caches behind a virtual disk cannot be kept out.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from sizeup.facts import Source
from sizeup.hardware import Disk
from sizeup.home import data_dir, write_atomically

FILE = "disks.json"
NAME = "read-speed.tmp"
MOST_BYTES = 256 << 20
LEAST_BYTES = 16 << 20
CHUNK_BYTES = 4 << 20
ROOM = 8
"""Only an eighth of what is free is taken for the moment."""


class Rate(NamedTuple):
    """A measured read rate of the filesystem at one mount point."""

    bytes_per_s: float
    how: str
    date: str
    bytes: int
    """Of the filesystem it was measured on; another disk at the same place is another one."""

    @property
    def source(self) -> Source:
        return Source("measured", self.how, self.date)


def measured(folder: Path, seconds: float = 1.0) -> Rate | None:
    """The sequential read rate of the disk under `folder`, in about twice `seconds`; None where it cannot be measured.

    A file is written there and removed. None when the disk is full, the folder not writable, the memory itself, or the cache cannot be passed.
    """
    path = folder / NAME
    try:
        usage = shutil.disk_usage(folder)
        room = min(MOST_BYTES, usage.free // ROOM) // CHUNK_BYTES * CHUNK_BYTES
        if room < LEAST_BYTES:
            return None
        written = _write(path, room, seconds)
        found = _read(path, written, seconds) if written >= LEAST_BYTES else None
    except (OSError, ValueError):
        return None
    finally:
        path.unlink(missing_ok=True)
    if found is None:
        return None
    rate, how = found
    return Rate(rate, f"{how}, {written >> 20} MiB", datetime.date.today().isoformat(), usage.total)


def of_file(path: Path, disk_bytes: int, seconds: float = 0.5) -> Rate | None:
    """The sequential read rate of a file that is there, in at most `seconds`; None where it is too small or the cache cannot be passed."""
    try:
        size = min(path.stat().st_size, MOST_BYTES) // CHUNK_BYTES * CHUNK_BYTES
        found = _read(path, size, seconds) if size >= LEAST_BYTES else None
    except OSError:
        return None
    return found and Rate(found[0], f"{found[1]}, of a model", datetime.date.today().isoformat(), disk_bytes)


def _write(path: Path, size: int, seconds: float) -> int:
    """Write random bytes until `size` or the time is over, down to the disk; how many there are. A disk that compresses gains nothing."""
    noise = os.urandom(CHUNK_BYTES)
    end, written = time.perf_counter() + seconds, 0
    with path.open("wb", buffering=0) as file:
        while written < size and (written < LEAST_BYTES or time.perf_counter() < end):
            file.write(written.to_bytes(8, "little") + noise[8:])
            written += CHUNK_BYTES
            if written % (64 << 20) == 0:
                os.fsync(file.fileno())
        os.fsync(file.fileno())
    return written


def _read(path: Path, size: int, seconds: float) -> tuple[float, str] | None:
    for opened, how in ((_direct, "sequential read here, O_DIRECT"), (_dropped, "sequential read here, cache dropped before")):
        handle = opened(path)
        if handle is None:
            continue
        try:
            return _timed(handle, size, seconds), how
        except OSError:  # a filesystem may take the flag and refuse the read
            continue
        finally:
            os.close(handle)
    return None


def _timed(handle: int, size: int, seconds: float) -> float:
    """Bytes per second over the file, once, or as far as the time reaches. The buffer is aligned to a page, as O_DIRECT needs."""
    import mmap

    with mmap.mmap(-1, CHUNK_BYTES) as buffer:
        begin, moved = time.perf_counter(), 0
        while moved < size:
            count = os.preadv(handle, [buffer], moved) if hasattr(os, "preadv") else len(os.read(handle, CHUNK_BYTES))
            if count <= 0:
                break
            moved += count
            if time.perf_counter() - begin > seconds:
                break
        return moved / max(time.perf_counter() - begin, 1e-9)


def _direct(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECT) if hasattr(os, "O_DIRECT") else None
    except OSError:
        return None


def _dropped(path: Path) -> int | None:
    if sys.platform == "win32":
        return None
    handle = os.open(path, os.O_RDONLY)
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(handle, fcntl.F_NOCACHE, 1)
        return handle
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    return handle


def keep(mount: str, rate: Rate) -> None:
    """Store a measurement for the next answers."""
    known = {point: found._asdict() for point, found in kept().items()} | {mount: rate._asdict()}
    write_atomically(data_dir() / FILE, (json.dumps(known) + "\n").encode())


def kept() -> dict[str, Rate]:
    """Mount point -> its stored measurement; what is damaged is measured again."""
    try:
        stored = {point: Rate(**entry) for point, entry in json.loads((data_dir() / FILE).read_bytes()).items()}
        return {point: rate for point, rate in stored.items() if rate.bytes_per_s > 0}
    except Exception:
        return {}


def rated(disks: tuple[Disk, ...], known: Callable[[], dict[str, Rate]] = kept) -> tuple[Disk, ...]:
    """The disks with what was measured of them."""
    rates = known() if disks else {}
    return tuple(
        replace(disk, bytes_per_s=rate.bytes_per_s, source=rate.source)
        if (rate := rates.get(disk.path)) is not None and rate.bytes == disk.bytes
        else disk
        for disk in disks
    )


def measure(disks: tuple[Disk, ...]) -> tuple[Disk, ...]:
    """The disks, that of the data folder measured anew and kept. A disk in memory is none."""
    folder = data_dir()
    own = max((disk for disk in disks if _above(disk.path, folder)), key=lambda disk: len(disk.path), default=None)
    if own is not None and own.kind != "memory":
        rate = measured(folder)
        if rate is not None:
            keep(own.path, rate)
    return rated(disks)


def _above(mount: str, folder: Path) -> bool:
    try:
        return folder.resolve().is_relative_to(mount)
    except OSError:
        return False
