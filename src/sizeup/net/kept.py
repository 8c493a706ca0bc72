"""What was read online, kept on disk: asked for again with its ETag, or not at all where it can never change.

Bounded in files and bytes; the oldest goes first. Everything here may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sizeup.errors import SizeupError, Unavailable
from sizeup.home import data_dir, write_atomically

from .client import JSON_LIMIT, Body, Client

MOST_FILES = 512
MOST_BYTES = 96 << 20
LARGEST_BYTES = 16 << 20


class Entry(NamedTuple):
    """An answer of an earlier day."""

    content: bytes
    etag: str
    date: str
    size: int | None
    """Bytes of the whole file, where the content is a part of one."""


class Kept:
    """The answers of one account. `offline_because` says why nothing may be asked now; "" when it may."""

    def __init__(self, client: Client, offline_because: str = "") -> None:
        self.client, self.offline_because = client, offline_because
        self._whose = client.whose

    def read(self, address: str, fixed: bool = False, limit: int = JSON_LIMIT) -> Body:
        """A whole answer: from the disk when it is `fixed` (its address holds a commit or digest) or when the server says it is the same.

        Raises Status, Unreadable, and Unavailable when it is not here and nothing may be asked.
        """
        before = self.find(address)
        if before is not None and (fixed or self.offline_because):
            return Body(before.content, {"etag": before.etag}, address, 200)
        if self.offline_because:
            raise self.refused(address)
        headers = {"If-None-Match": before.etag} if before is not None and before.etag else {}
        body = self.client.fetch(address, headers, limit)
        if body.status == 304 and before is not None:
            return Body(before.content, {**body.headers, "etag": before.etag}, body.address, 200)
        self.keep(address, body.content, body.headers.get("etag", ""), None)
        return body

    def refused(self, what: str) -> Unavailable:
        """The error for what would have to be asked for."""
        return Unavailable(f"{what} was not read before, and {self.offline_because} forbids the network.", "the same without it")

    def find(self, key: str) -> Entry | None:
        """What was kept under this key; None when nothing was, or when it is damaged."""
        try:
            head, _, content = self._path(key).read_bytes().partition(b"\n")
            said = json.loads(head)
            if said["key"] != key or said["bytes"] != len(content):
                return None
            return Entry(content, str(said["etag"]), str(said["date"]), said["size"] if isinstance(said["size"], int) else None)
        except (OSError, ValueError, KeyError, TypeError, SizeupError):
            return None

    def keep(self, key: str, content: bytes, etag: str, size: int | None) -> None:
        """Keep an answer; a disk that is full or not writable is no reason to fail."""
        if len(content) > LARGEST_BYTES:
            return
        said = {"key": key, "bytes": len(content), "etag": etag, "date": time.strftime("%Y-%m-%d"), "size": size}
        with suppress(SizeupError, OSError):
            path = self._path(key)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_atomically(path, json.dumps(said).encode() + b"\n" + content)
            _trim(path.parent)

    def _path(self, key: str) -> Path:
        # Of another account nothing is shown: its private and gated repositories are not ours to tell.
        return data_dir() / "online" / hashlib.sha256(f"{self._whose}\n{key}".encode()).hexdigest()


def _trim(folder: Path) -> None:
    found = []
    for path in folder.iterdir():
        with suppress(OSError):  # another sizeup is trimming too
            state = path.stat()
            found.append((state.st_mtime, state.st_size, path))
    found.sort(key=lambda row: row[0])
    files, total = len(found), sum(size for _, size, _ in found)
    for _, size, path in found:
        if files <= MOST_FILES and total <= MOST_BYTES:
            return
        path.unlink(missing_ok=True)
        files, total = files - 1, total - size
