"""A file on a server as a range source: only what a header reader asks for is fetched, in growing pieces, and never without bound."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

from sizeup.errors import Unavailable, Unreadable
from sizeup.units import show_bytes

from .client import Client, Status
from .kept import Kept
from .waits import Stopped

FIRST_BYTES = 1 << 19
LARGEST_BYTES = 1 << 23
BUDGET_BYTES = 96 << 20
"""Bytes that one header may cost; the longest known take 15 MB."""
CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


def content_range(text: str) -> tuple[int, int, int | None] | None:
    """First byte, last byte and the whole size (None when the server does not know it); None for what is no such header."""
    found = CONTENT_RANGE.fullmatch(text.strip())
    if found is None:
        return None
    return int(found[1]), int(found[2]), None if found[3] == "*" else int(found[3])


class HttpSource:
    """A file on a server. `size` is known from a list, or from the first answer."""

    def __init__(
        self,
        client: Client,
        address: str,
        name: str,
        size: int | None = None,
        first_bytes: int = FIRST_BYTES,
        failed: Callable[[Status], Exception] | None = None,
        kept: Kept | None = None,
    ) -> None:
        # `kept` is for an address whose content never changes: one with a commit or a digest in it.
        self._kept = kept
        self.client, self.address, self.name = client, address, name
        self._failed = failed
        self._next = first_bytes
        self._start, self._held = 0, b""
        self.fetched_bytes = 0
        self.requests = 0
        self.etag = ""
        self._size = size

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        if self._size is None:
            self.read(0, 1)
        assert self._size is not None
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; shorter only at the end. Raises Unavailable, Unreadable, or what `failed` makes."""
        if self._size is not None:
            length = min(length, max(0, self._size - offset))
        at = offset - self._start
        if length <= 0:
            return b""
        if not 0 <= at <= len(self._held) - length:
            self._fetch(offset, max(length, self._next))
            self._next = min(self._next * 2, LARGEST_BYTES)
            at = 0
        return self._held[at : at + length]

    def _fetch(self, offset: int, length: int) -> None:
        if self._size is not None:
            length = min(length, self._size - offset)
        if self.fetched_bytes + length > BUDGET_BYTES:
            raise Unreadable(f"{self.name} has a header of more than {show_bytes(BUDGET_BYTES)}.", "another copy of the file")
        key = f"{self.address}#{offset}+{length}"
        before = self._kept.find(key) if self._kept else None
        if before is not None and before.size is not None:
            self._sized(before.size)
            self._start, self._held, self.etag = offset, before.content, before.etag
            return
        self._start, self._held = offset, self._patiently(offset, length)
        if self._kept is not None:
            self._kept.keep(key, self._held, self.etag, self._size)

    def _patiently(self, offset: int, length: int) -> bytes:
        if self._kept is not None and self._kept.offline_because:
            raise self._kept.refused(self.name)
        import httpx2

        failures = 0
        while True:
            try:
                return self._ranged(offset, length)
            except Status as error:
                raise (self._failed or self._unexpected)(error) from None
            except httpx2.HTTPError as error:
                failures += 1
                if failures >= self.client.patience.tries:
                    raise self.client.unreachable(self.address, error) from None
                self.client.waiter.wait(self.client.patience.backoff(failures), "broken")

    def _ranged(self, offset: int, length: int) -> bytes:
        with self.client.open(self.address, {"Range": f"bytes={offset}-{offset + length - 1}"}) as response:
            self.requests += 1
            self.etag = response.headers.get("x-linked-etag") or response.headers.get("etag") or self.etag
            if response.headers.get("content-encoding", "identity") not in ("", "identity"):
                raise Unreadable(f"{self.client.host} sends {self.name} compressed, so that no part of it can be read.", "another mirror")
            skip = 0
            if response.status_code == 206:
                said = content_range(response.headers.get("content-range", ""))
                if said is None or said[0] != offset or said[1] < offset:
                    raise Unreadable(f"{self.client.host} sends another part of {self.name} than was asked for.", "another mirror")
                self._sized(said[2])
            else:
                # A server without ranges sends everything: what lies before is passed over, and the rest never fetched.
                skip = offset
                said_length = response.headers.get("content-length", "")
                self._sized(int(said_length) if said_length.isdigit() else None)
            if self._size is not None:
                length = min(length, self._size - offset)
            return self._taken(response.iter_raw(1 << 16), skip, length)

    def _sized(self, size: int | None) -> None:
        if self._size is None:
            if size is None:
                raise Unreadable(f"{self.client.host} does not say how long {self.name} is.", "another mirror")
            self._size = size
        elif size is not None and size != self._size:
            raise Unreadable(
                f"{self.name} has {size:,} bytes on the server and {self._size:,} in its list of files.", "again: it may have just changed"
            )

    def _taken(self, pieces: Iterator[bytes], skip: int, length: int) -> bytes:
        end = time.monotonic() + self.client.patience.whole_s
        kept = bytearray()
        for piece in pieces:
            self.fetched_bytes += len(piece)
            if self.fetched_bytes > BUDGET_BYTES:
                raise Unreadable(f"{self.name} has a header of more than {show_bytes(BUDGET_BYTES)}.", "another copy of the file")
            if skip >= len(piece):
                skip -= len(piece)
                continue
            kept += piece[skip:]
            skip = 0
            if len(kept) >= length:
                return bytes(kept[:length])
            if time.monotonic() > end:
                raise Unavailable(
                    f"{self.client.host} sends too slowly: stopped after {self.client.patience.whole_s:.0f} seconds.", "again later"
                )
            if self.client.waiter.stop.is_set():
                raise Stopped
        raise Unreadable(
            f"{self.client.host} ended {self.name} after {len(kept):,} of {length:,} bytes that were asked for.", "again later"
        )

    def _unexpected(self, error: Status) -> Exception:
        return Unavailable(f"{self.client.host} answers {error.status} for {self.name}.", "again later")
