"""Room for filled ghosts: files without a name where the system has them, so that nothing is left however a process ends.

Elsewhere a ghost is a file in the user's data folder with the number of the process that made it; the next rehearsal removes
those whose process is gone.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sizeup.errors import Unavailable
from sizeup.home import data_dir
from sizeup.model import ModelSpec, Tensor
from sizeup.units import show_bytes

from .fill import filling
from .write import ghost_header

_numbers = itertools.count(1)

SPARE_BYTES = 2 << 30
"""What a disk keeps free whatever happens."""


def folder() -> Path:
    """Where ghosts stand; made when it is missing."""
    path = data_dir() / "ghosts"
    path.mkdir(parents=True, exist_ok=True)
    return path


def room(limit: int | None = None) -> int:
    """Bytes that a ghost may take: the disk's free bytes less a spare, never more than `limit`."""
    free = max(0, shutil.disk_usage(folder()).free - SPARE_BYTES)
    return free if limit is None else min(free, limit)


def sweep() -> None:
    """Remove what processes that are gone have left."""
    for path in folder().glob("*.gguf"):
        number = path.stem.partition("-")[0]
        if number.isdigit() and not _alive(int(number)):
            path.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def filled(
    model: ModelSpec, tensors: tuple[Tensor, ...], limit: int | None = None, tell: Callable[[int, int], None] | None = None
) -> Iterator[str]:
    """The path of a ghost whose weights are made up, while this lasts. Raises Unavailable where the disk has no room for it.

    `tell` hears bytes written and bytes in all.
    """
    sweep()
    raw, size = ghost_header(model, tensors, tokenizer=True)
    if size > room(limit):
        raise Unavailable(
            f"A ghost of {model.name} takes {show_bytes(size)} of disk, and {show_bytes(room(limit))} may be used.",
            "a smaller --quant, or --max-disk",
        )
    descriptor, path = _open()
    try:
        with os.fdopen(descriptor, "wb", buffering=0, closefd=False) as file:
            file.write(raw)
            start = len(raw)
            for tensor in tensors_in_place(tensors):
                file.seek(start + (tensor.offset or 0))
                for piece in filling(tensor):
                    file.write(piece)
                if tell is not None:
                    tell(file.tell(), size)
            file.truncate(size)
        yield path
    finally:
        os.close(descriptor)
        if not path.startswith("/proc/"):
            Path(path).unlink(missing_ok=True)


def tensors_in_place(tensors: tuple[Tensor, ...]) -> Iterator[Tensor]:
    """The tensors at the offsets that the ghost's header gives them."""
    from sizeup.engines.llamacpp.tensors import placed

    return placed(tensors)


def _open() -> tuple[int, str]:
    """A new file: nameless where the system and the disk's format allow it."""
    if sys.platform == "linux":
        try:
            descriptor = os.open(folder(), os.O_TMPFILE | os.O_RDWR, 0o600)
        except OSError:
            pass  # this disk's format has no nameless files
        else:
            return descriptor, f"/proc/{os.getpid()}/fd/{descriptor}"
    path = folder() / f"{os.getpid()}-{next(_numbers)}.gguf"
    return os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600), str(path)
