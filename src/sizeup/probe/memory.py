"""The main memory: what there is, what a new program can have now, and which limit cuts it."""

from __future__ import annotations

import datetime
from pathlib import Path

from sizeup.facts import Source
from sizeup.hardware import Pool
from sizeup.units import show_bytes

from .container import Limits
from .files import MOST_BYTES, fields, text


def ram(root: Path, limits: Limits) -> tuple[Pool | None, tuple[str, ...]]:
    """The pool "ram" within every container limit, and warnings. None when no source tells its size: never a silent zero.

    Available is the kernel's own estimate (free pages and what it can drop without swapping); swap is not counted.
    """
    warnings: list[str] = []
    found = fields(text(root, "/proc/meminfo"))
    total, available, where = found.get("MemTotal"), found.get("MemAvailable"), "/proc/meminfo"
    if not total or total >= MOST_BYTES:
        total, available, where = _from_psutil() if root == Path("/") else (None, None, "")
        if not total:
            return None, ("The size of this machine's memory cannot be read: /proc/meminfo is missing or garbled.",)
        warnings.append("/proc/meminfo is missing or garbled; memory is as psutil reports it.")
    if available is None:
        # Kernels before 3.14 do not say it; what they keep as cache is mostly, not wholly, theirs to drop.
        available = found.get("MemFree", 0) + max(found.get("Buffers", 0) + found.get("Cached", 0) - found.get("Shmem", 0), 0)
        warnings.append("The kernel does not say how much memory is available; taken as free plus file cache.")
        if "MemFree" not in found:
            return None, ("How much memory is free cannot be read: /proc/meminfo names neither MemAvailable nor MemFree.",)
    if available > total:
        warnings.append(f"/proc/meminfo says {show_bytes(available)} of {show_bytes(total)} are available; taken as all of it.")
        available = total
    size = min(total, limits.memory_bytes) if limits.memory_bytes is not None else total
    room = limits.memory_room_bytes
    free = min(available, size) if room is None else min(available, room, size)
    if size < total:
        where += f" and control groups ({show_bytes(total)} without them)"
    return Pool("ram", size, free, None, Source("read", where, datetime.date.today().isoformat())), tuple(warnings)


def _from_psutil() -> tuple[int | None, int | None, str]:
    try:
        import psutil

        memory = psutil.virtual_memory()
    except Exception:  # psutil reads the same broken files and raises whatever it meets
        return None, None, ""
    return int(memory.total), int(memory.available), "psutil"
