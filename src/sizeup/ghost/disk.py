"""Ghosts filled with made-up weights, on one disk or split over several: GGUF split files, each disk holding its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sizeup.engines.llamacpp.tensors import ALIGNMENT, placed
from sizeup.errors import Unavailable, UserError
from sizeup.figure import round_up
from sizeup.model import ModelSpec, Tensor
from sizeup.units import show_bytes

from .fill import filling
from .room import close_ghost, folder, open_ghost, room, sweep, write_all
from .write import ghost_header

ENTRY_BYTES = 64
"""More than a tensor takes in a header beside its name."""
SPLIT_BYTES = 256
"""More than the keys that make a file one of several."""

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Part:
    """What one disk holds of a ghost: a header, then tensors at their offsets."""

    where: Path
    header: bytes
    tensors: tuple[Tensor, ...]
    file_bytes: int


@contextmanager
def filled(
    model: ModelSpec, tensors: tuple[Tensor, ...], limit: int | None = None, tell: Tell | None = None, disks: Sequence[Path] = ()
) -> Iterator[tuple[str, ...]]:
    """The paths of a ghost whose weights are made up, while this lasts: one file, or split files in their order.

    `disks` are the folders to use, at most `limit` bytes in each; without them it is the user's own data folder. `tell` hears
    bytes written and bytes in all. Raises Unavailable where they have no room for it, before a byte is written.
    """
    sweep()
    found = parts(model, tensors, limit, disks)
    done, whole = 0, sum(part.file_bytes for part in found)
    with ExitStack() as files:
        paths = []
        for part in found:
            descriptor, path = open_ghost(part.where)
            files.callback(close_ghost, descriptor, path)
            paths.append(path)
            try:
                for written in _write(descriptor, part):
                    if tell is not None:
                        tell(done + written, whole)
            except OSError as error:
                raise Unavailable(f"A ghost cannot be written to {part.where}: {error.strerror or error}.", "another --disk") from None
            done += part.file_bytes
        yield tuple(paths)


def _write(descriptor: int, part: Part) -> Iterator[int]:
    """Fill one file, saying how far it is after every tensor."""
    write_all(descriptor, part.header)
    for tensor in part.tensors:
        os.lseek(descriptor, len(part.header) + (tensor.offset or 0), os.SEEK_SET)
        for piece in filling(tensor):
            write_all(descriptor, piece)
        yield os.lseek(descriptor, 0, os.SEEK_CUR)
    os.ftruncate(descriptor, part.file_bytes)


def parts(model: ModelSpec, tensors: tuple[Tensor, ...], limit: int | None = None, disks: Sequence[Path] = ()) -> list[Part]:
    """Which disk holds what: the first that holds everything, else one after the other as much as it can, in the file's order.

    Folders on one disk share its room. Raises Unavailable when all of them together are too small.
    """
    folders = [_checked(disk) for disk in disks] or [folder()]
    raw, size = ghost_header(model, tensors, tokenizer=True)
    rooms = [room(where, limit) for where in folders]
    for where, free in zip(folders, rooms, strict=True):
        if size <= free:
            return [Part(where, raw, tuple(placed(tensors)), size)]
    shares = _shares(tensors, len(raw), folders, limit)
    if shares is None:
        free = sum(rooms) if len({_device(where) for where in folders}) == len(folders) else max(rooms)
        raise Unavailable(
            f"A ghost of {model.name} takes {show_bytes(size)} of disk, and {show_bytes(free)} may be used.",
            "a smaller --quant, or --max-disk" if disks == () else "a smaller --quant, --max-disk, or another --disk",
        )
    found = []
    for number, (where, share) in enumerate(shares):
        raw, size = ghost_header(model, share, tokenizer=True, split=(number, len(shares), len(tensors)))
        found.append(Part(where, raw, tuple(placed(share)), size))
    return found


def _shares(
    tensors: tuple[Tensor, ...], header_bytes: int, folders: Sequence[Path], limit: int | None
) -> list[tuple[Path, tuple[Tensor, ...]]] | None:
    """Runs of tensors, one for each folder that takes any; None when the last one overflows."""
    shares: list[tuple[Path, tuple[Tensor, ...]]] = []
    taken: dict[int, int] = {}
    at = 0
    for where in folders:
        disk = _device(where)
        free = room(where, limit)
        left = min(free, room(where) - taken.get(disk, 0)) - SPLIT_BYTES - (0 if shares else header_bytes)
        start, used = at, 0
        while at < len(tensors) and used + _cost(tensors[at]) <= left:
            used += _cost(tensors[at])
            at += 1
        if at > start:
            shares.append((where, tensors[start:at]))
            taken[disk] = taken.get(disk, 0) + used + SPLIT_BYTES + header_bytes
    return shares if at == len(tensors) else None


def _device(where: Path) -> int:
    """The number of the disk that a folder lies on."""
    return os.stat(where).st_dev


def _cost(tensor: Tensor) -> int:
    return int(round_up(tensor.bytes, ALIGNMENT)) + len(tensor.name.encode()) + ENTRY_BYTES


def _checked(disk: Path) -> Path:
    """A folder that the user named, as it is. Raises UserError where no file can be written."""
    if not disk.is_dir():
        raise UserError(f"{disk} is no folder.", "--disk FOLDER with a folder of yours on the disk to use")
    if not os.access(disk, os.W_OK | os.X_OK):
        raise UserError(f"You may not write to {disk}.", "--disk FOLDER with a folder of yours on the disk to use")
    return disk
