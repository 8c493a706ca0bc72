"""What of an unfinished file is on the disk: one line for each whole chunk with its checksum, only ever added to.

A line is written after its chunk. A kill between the two costs that chunk; a line cut in the middle is none. Nothing is synced to the disk:
after a power cut, chunks that did not get there differ from their checksums, which are compared before anything is relied on.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path

from .item import Item

LINE = re.compile(rb"(\d{1,9}) ([0-9a-f]{64})")
VOID = re.compile(rb"void (\d{1,9})")
SMALLEST_CHUNK = 1 << 20
MOST_CHUNKS = 1 << 16


def chunk_bytes(size: int) -> int:
    """Bytes of a chunk: what a kill may cost for each connection."""
    return max(SMALLEST_CHUNK, -(-size // MOST_CHUNKS // SMALLEST_CHUNK) * SMALLEST_CHUNK)


class Journal:
    """The journal of one unfinished file; whoever holds its lock alone writes to both."""

    def __init__(self, path: Path, item: Item, chunk: int) -> None:
        self.path, self.item, self.chunk = path, item, chunk
        self.count = max(1, -(-item.bytes // chunk))
        self.done: dict[int, str] = {}
        """Chunk -> SHA-256 of what was written."""
        self.done_bytes = 0
        """Of all chunks in `done`; kept beside it, as it is read while others add."""
        self.etag = ""
        self._file = -1

    def length(self, index: int) -> int:
        """Bytes of a chunk; the last one is what is left."""
        return min(self.chunk, self.item.bytes - index * self.chunk)

    def open(self, file: int) -> None:
        """Read what is there from this open file, which the journal takes over; start anew when it is of something else."""
        self._file = file
        raw = b""
        while piece := os.pread(file, 1 << 20, len(raw)):
            raw += piece
        whole, _, _ = raw.rpartition(b"\n")
        lines = whole.split(b"\n")
        if lines[0] != self._head():
            self.clear()
            return
        for line in lines[1:]:
            if found := LINE.fullmatch(line):
                if int(found[1]) < self.count:
                    self.done[int(found[1])] = found[2].decode()
            elif line.startswith(b"etag "):
                self.etag = line[5:].decode("latin-1")
            elif (found := VOID.fullmatch(line)) is not None:
                self.done.pop(int(found[1]), None)
        self.done_bytes = sum(self.length(index) for index in self.done)
        os.ftruncate(file, len(whole) + 1)

    def clear(self) -> None:
        """Forget everything."""
        self.done.clear()
        self.done_bytes = 0
        self.etag = ""
        os.ftruncate(self._file, 0)
        self._write(self._head())

    def add(self, index: int, digest: str) -> None:
        """Note a chunk that is wholly written."""
        self.done_bytes += self.length(index) if index not in self.done else 0
        self.done[index] = digest
        self._write(b"%d %s" % (index, digest.encode()))

    def void(self, index: int) -> None:
        """Note that a chunk is not what it was."""
        del self.done[index]
        self.done_bytes -= self.length(index)
        self._write(b"void %d" % index)

    def keep_etag(self, etag: str) -> None:
        if etag.isascii() and etag.isprintable():
            self.etag = etag
            self._write(b"etag " + etag.encode())

    def missing(self) -> list[tuple[int, int]]:
        """Runs of chunks that are not here: (first, behind the last)."""
        runs: list[tuple[int, int]] = []
        start = None
        for index in range(self.count + 1):
            gone = index < self.count and index not in self.done
            if gone and start is None:
                start = index
            elif not gone and start is not None:
                runs.append((start, index))
                start = None
        return runs

    def remove(self) -> None:
        with suppress(OSError):
            self.path.unlink()

    def _head(self) -> bytes:
        said = {"format": 1, "bytes": self.item.bytes, "chunk": self.chunk, "checksum": self.item.expected}
        return json.dumps(said).encode()

    def _write(self, line: bytes) -> None:
        os.lseek(self._file, 0, os.SEEK_END)
        os.write(self._file, line + b"\n")
