"""A ghost to be kept, described before anything touches a disk."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class File:
    """A file to write: `content` at its start, a hole up to `file_bytes`."""

    name: str
    content: bytes
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Keepsake:
    """A ghost to be written, described: nothing has touched a disk yet."""

    format: str
    files: tuple[File, ...]
    tensors: int
    parameters: int
    """Elements of the tensors in it; 0 when it has none."""
    class_name: str = ""
    """The class of transformers that loads it; "" where nobody asked the library."""
    dtype: str = ""
    notes: tuple[str, ...] = ()
    """What differs from the real model, or is missing, in sentences."""
    commands: tuple[str, ...] = field(default=())
    """How it is loaded, with {folder} for the folder it is in."""

    @property
    def file_bytes(self) -> int:
        """What the files seem to take."""
        return sum(file.file_bytes for file in self.files)

    @property
    def disk_bytes(self) -> int:
        """What they really take."""
        return sum(len(file.content) for file in self.files)

    def commands_for(self, where: Path) -> tuple[str, ...]:
        return tuple(command.format(folder=shlex.quote(str(where))) for command in self.commands)
