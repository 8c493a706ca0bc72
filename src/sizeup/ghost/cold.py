"""A file out of the system's file cache, so that the next load reads the disk. Only ever called on files we made."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os

KEPT = 0.02
"""The share of a file that may stay in the cache when it counts as dropped."""


def drop(path: str) -> bool:
    """Have the system forget the pages of this file; False where it cannot, or keeps them all the same."""
    if not hasattr(os, "posix_fadvise"):
        return False
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        # Only what is on the disk can be forgotten.
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        share = cached(descriptor)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return share is not None and share <= KEPT


def cached(descriptor: int) -> float | None:
    """The share of a file's pages that the file cache holds; None where the system does not tell."""
    size = os.fstat(descriptor).st_size
    if not size:
        return 0.0
    try:
        look = ctypes.CDLL(None, use_errno=True).mincore
    except (OSError, AttributeError):
        return None
    pages = -(-size // mmap.PAGESIZE)
    seen = (ctypes.c_ubyte * pages)()
    # mincore only looks: mapping touches no page.
    with contextlib.closing(mmap.mmap(descriptor, size, access=mmap.ACCESS_WRITE)) as view:
        first = ctypes.c_char.from_buffer(view)
        code = look(ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(size), seen)
        del first
    return None if code else sum(page & 1 for page in bytes(seen)) / pages
