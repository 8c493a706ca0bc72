"""Measuring the bandwidth of this machine's main memory.

Decoding reads weights and hardly writes, so the measure is a read: every thread searches its own buffer for a byte that is
not there (C's memchr, which runs outside Python's lock). Counted: the bytes searched. Where C's library cannot be called, a
copy is timed instead and both its read and its write are counted; what a write may fetch first is not.
"""

from __future__ import annotations

import ctypes
import datetime
import mmap
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .bandwidth import Bandwidth
from .files import digits, ids, word

DEFAULT_CACHE_BYTES = 32 << 20
LARGEST_BYTES = 2 << 30
CHUNK_BYTES = 8 << 20
"""One call into C: long enough that Python between the calls costs nothing."""
WINDOWS = 5


def measured_bandwidth(seconds: float = 0.5, threads: int = 1, cache_bytes: int | None = None, room_bytes: int = 1 << 30) -> Bandwidth:
    """Read bandwidth of the main memory with that many threads, over buffers of 8 caches and more, within an eighth of the room.

    Takes about `seconds` and the time to fill the buffers. The best of a few windows counts: what else runs meanwhile only slows.
    """
    cache = cache_bytes if cache_bytes is not None else last_level_cache(Path("/"))
    whole = min(max(8 * cache, 256 << 20), LARGEST_BYTES, max(room_bytes // 8, 16 << 20))
    chunks = max(whole // threads // CHUNK_BYTES, 2)
    sweep, how = _sweep()
    buffers = [mmap.mmap(-1, chunks * CHUNK_BYTES) for _ in range(threads)]
    addresses = [ctypes.addressof(ctypes.c_char.from_buffer(buffer)) for buffer in buffers]
    for address in addresses:
        ctypes.memset(address, 1, chunks * CHUNK_BYTES)  # untouched pages are all the same page of zeros
    moved = [0] * threads
    start, stopping = threading.Barrier(threads + 1), threading.Event()

    def work(index: int) -> None:
        start.wait()
        chunk = 0
        while not stopping.is_set():
            sweep(addresses[index] + chunk * CHUNK_BYTES)
            moved[index] += CHUNK_BYTES
            chunk = (chunk + 1) % chunks

    workers = [threading.Thread(target=work, args=(index,), daemon=True) for index in range(threads)]
    for worker in workers:
        worker.start()
    start.wait()
    rate = max(_rate(moved, seconds / WINDOWS) for _ in range(WINDOWS))
    stopping.set()
    for worker in workers:
        worker.join()
    return Bandwidth(rate, f"{how}, {threads} threads, {whole >> 20} MiB", datetime.date.today().isoformat(), threads, "")


def _rate(moved: list[int], seconds: float) -> float:
    """Bytes per second that the workers move meanwhile."""
    begin, before = time.perf_counter(), sum(moved)
    time.sleep(seconds)
    return (sum(moved) - before) / (time.perf_counter() - begin)


def _sweep() -> tuple[Callable[[int], Any], str]:
    """A function of an address that moves every byte of the chunk there once, and its name."""
    if sys.platform != "win32":
        try:
            search = ctypes.CDLL(None).memchr
            search.restype, search.argtypes = ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
        except (OSError, AttributeError):
            pass
        else:
            return (lambda address: search(address, 7, CHUNK_BYTES)), "memory read here"
    # Half a chunk onto the other half: each byte is moved once, by the read or by the write.
    half = CHUNK_BYTES // 2
    return (lambda address: ctypes.memmove(address, address + half, half)), "memory copy here, read and write counted"


def last_level_cache(root: Path) -> int:
    """Bytes of the largest cache of any CPU, all its instances together; a stated guess where nobody says."""
    found: dict[str, int] = {}
    for folder in sorted((root / "sys/devices/system/cpu").glob("cpu[0-9]*/cache/index*")) if (root / "sys").exists() else []:
        place = "/" + str(folder.relative_to(root))
        size, level, shared = word(root, f"{place}/size"), word(root, f"{place}/level"), word(root, f"{place}/shared_cpu_list")
        if size and digits(size[:-1]) and level and shared and ids(shared):
            found[f"{level} {shared}"] = int(size[:-1]) << {"K": 10, "M": 20}.get(size[-1], 0)
    if not found:
        return DEFAULT_CACHE_BYTES
    last = max(key.split()[0] for key in found)
    return sum(size for key, size in found.items() if key.split()[0] == last)
