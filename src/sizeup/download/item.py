"""What is to be fetched, and what is told on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

SCRATCH = ".sizeup-pull"
"""The folder beside the finished files where unfinished ones lie."""


class Sum(Protocol):
    """A running checksum, as hashlib has them."""

    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Item:
    """One file to be fetched. `path` is where it ends; until then it lies in `scratch`, on the same disk."""

    address: str
    path: Path
    scratch: Path
    name: str
    """As people know it."""
    bytes: int
    sha256: str | None = None
    git_oid: str | None = None
    """Git's SHA-1 of the content, for small files that have no other checksum."""

    @property
    def expected(self) -> str | None:
        """The checksum that the publisher states; None when there is none."""
        return self.sha256 or self.git_oid

    def sum(self) -> Sum:
        """A checksum of the kind that is expected, before the first byte."""
        if self.sha256 is None and self.git_oid is not None:
            # Git names a file by what it holds behind a word and its length; nothing rests on SHA-1 being hard to forge here.
            return hashlib.sha1(b"blob %d\0" % self.bytes, usedforsecurity=False)
        return hashlib.sha256()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a file: start, progress, wait, again, bad, locked, checking, here, done."""

    kind: str
    name: str
    done_bytes: int = 0
    bytes: int = 0
    bytes_per_s: float = 0.0
    """Over the last seconds."""
    words: str = ""
    """Why it waits or begins anew: a message key's end."""
    seconds: float = 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds until it is here at this rate; None when nothing came of late."""
        return (self.bytes - self.done_bytes) / self.bytes_per_s if self.bytes_per_s > 0 else None


Tell = Callable[[Event], None]
