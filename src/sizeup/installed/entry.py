"""What a store holds: files, models made of them, and what is left over."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

Store = Literal["ollama", "lmstudio", "hub", "llama.cpp", "folder"]
STORES: tuple[Store, ...] = ("ollama", "lmstudio", "hub", "llama.cpp", "folder")
Kind = Literal["half", "orphan", "old", "missing", "short", "unreadable", "unknown"]
"""Why something is no model to run: a download that did not end; no manifest names it; a newer snapshot took its place; a file that
should be there is gone, or is shorter than its manifest says; it cannot be read; it is of a kind that sizeup does not know."""
SPARE: tuple[Kind, ...] = ("half", "orphan", "old")
"""What nothing refers to any more: the rest may still be repaired, or be of use to its own tool."""


class Stored(NamedTuple):
    """A file of a store by the name that the store has for it."""

    path: Path
    bytes: int
    digest: str
    """Its SHA-256 where the store names it so; ""."""
    inode: tuple[int, int]
    """Device and number of the file itself: names that share it take its bytes once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model as its tool calls it."""

    store: Store
    name: str
    path: Path
    """What to read: a .gguf, the first of its parts, or a folder."""
    files: tuple[Stored, ...]
    old: bool = False
    """A snapshot that no branch or tag of its repository names any more."""

    @property
    def bytes(self) -> int:
        return sum({file.inode: file.bytes for file in self.files}.values())


class Leftover(NamedTuple):
    """What takes room, or a place in a list, and can run nothing."""

    store: Store
    kind: Kind
    path: Path
    bytes: int
    name: str = ""
    expected_bytes: int | None = None
    reason: str = ""
    """The reader's sentence, for what cannot be read."""


@dataclass(slots=True)
class Shelf:
    """Everything that was found."""

    entries: list[Entry] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    roots: list[Path] = field(default_factory=list)
    """Folders that were there to look into."""


def stored(path: Path, digest: str = "") -> Stored | None:
    """A file, links followed; None when it is not there or is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    if not path.is_file():
        return None
    # Windows tells no inode of some filesystems; the path is then its own.
    number = found.st_ino or hash(str(path))
    return Stored(path, found.st_size, digest, (found.st_dev, number))
