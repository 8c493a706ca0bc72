"""Reading the start of a file piece by piece, from anything that can give a range of bytes (a disk now, HTTP later)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from ..errors import NotFound, Unreadable
from ..units import show_bytes

FIRST_CHUNK = 1 << 18
LARGEST_CHUNK = 1 << 23


class RangeSource(Protocol):
    """`size` bytes of which any range can be read."""

    name: str

    @property
    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; shorter only at the end."""
        ...


def cut_short(source: RangeSource, number: int, tensors: int, whole_bytes: int) -> Unreadable:
    """The error for a file that ends inside one of its tensors, counted from 1."""
    return Unreadable(
        f"{source.name} ends in the middle of tensor {number:,} of {tensors:,}: {show_bytes(source.size)} of {show_bytes(whole_bytes)} are here.",
        "download the rest, or the file again",
    )


class FileSource:
    """A local file as a range source. Raises NotFound or Unreadable in words."""

    def __init__(self, path: str | Path) -> None:
        self.name = str(path)
        try:
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115  closed by close()
            self.size = os.fstat(self._file.fileno()).st_size
        except FileNotFoundError:
            raise NotFound(f"There is no file {path}.", "check the path") from None
        except IsADirectoryError:
            raise Unreadable(f"{path} is a folder, not a file.", f"{path}/FILE.gguf") from None
        except PermissionError:
            raise Unreadable(f"{path} may not be read by this user.", f"chmod u+r {path}") from None
        except (OSError, ValueError) as error:
            raise Unreadable(f"{path} cannot be opened: {getattr(error, 'strerror', None) or error}.", "another file") from None

    def read(self, offset: int, length: int) -> bytes:
        try:
            return os.pread(self._file.fileno(), length, offset)
        except OSError as error:
            raise Unreadable(f"{self.name} cannot be read: {error.strerror}.", "another copy of the file") from None

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> FileSource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Cursor:
    """A forward reader over a range source that holds one chunk at a time and never reads past what it is asked for by much.

    `buffer` and `at` are open to readers that walk many small items: after `need(n)` the next n bytes lie in
    `buffer[at : at + n]`. `limit` bounds how far a header may go.
    """

    def __init__(self, source: RangeSource, limit: int) -> None:
        self.source = source
        self.limit = min(limit, source.size)
        self.limited = limit < source.size
        self.buffer = b""
        self.at = 0
        self.start = 0
        """Offset of `buffer` in the source."""
        self._chunk = FIRST_CHUNK

    @property
    def offset(self) -> int:
        """Where the next byte lies in the source."""
        return self.start + self.at

    def need(self, count: int) -> None:
        """Make the next `count` bytes available; raises EOFError when the source, or the limit, ends before them."""
        have = len(self.buffer) - self.at
        if have >= count:
            return
        if self.offset + count > self.limit:
            raise EOFError(self.offset)
        wanted = max(count, self._chunk)
        self._chunk = min(self._chunk * 2, LARGEST_CHUNK)
        end = self.start + len(self.buffer)
        fresh = self.source.read(end, min(wanted - have, self.limit - end))
        self.buffer, self.start, self.at = self.buffer[self.at :] + fresh, self.offset, 0
        if len(self.buffer) < count:
            raise EOFError(self.offset)

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        self.need(count)
        at = self.at
        self.at = at + count
        return self.buffer[at : at + count]

    def skip(self, count: int) -> None:
        """Pass over `count` bytes without reading them."""
        if self.offset + count > self.limit:
            raise EOFError(self.offset)
        if self.at + count <= len(self.buffer):
            self.at += count
        else:
            self.start, self.buffer, self.at = self.offset + count, b"", 0
