"""Reading runs of chunks from a server into an unfinished file: one worker, one connection at a time, going on where it broke off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from sizeup.errors import Unavailable
from sizeup.net import Client, Stopped
from sizeup.net.source import content_range

from .item import Item

if TYPE_CHECKING:
    import httpx2


class Changed(Exception):
    """The file on the server is another one than at the start."""


class NoRanges(Exception):
    """The server sends everything whatever is asked for."""


class Sink(Protocol):
    """Where chunks go."""

    @property
    def etag(self) -> str: ...

    def met(self, etag: str) -> bool:
        """Hear of the ETag of an answer; False when it is another one than before and the file has no checksum to decide by."""
        ...

    def reading(self, response: httpx2.Response) -> AbstractContextManager[None]:
        """While this answer is read; a stop may break its connection."""
        ...

    def received(self, count: int) -> None: ...

    def wants(self, index: int) -> bool: ...

    def put(self, index: int, content: bytes, digest: str) -> None: ...


class Worker:
    """Fetches runs of chunks of one file."""

    def __init__(self, client: Client, item: Item, chunk: int, sink: Sink) -> None:
        self.client, self.item, self.chunk, self.sink = client, item, chunk, sink

    def run(self, first: int, end: int) -> None:
        """Fetch the chunks from `first` up to `end`. Raises Changed, NoRanges, Status, Stopped, Unavailable."""
        self._until_done(_Filling(self, first, end, True), ranges=True)

    def everything(self) -> None:
        """Fetch all chunks in one stream, for a server without ranges; after a break it begins anew and passes over what is here."""
        self._until_done(_Filling(self, 0, max(1, -(-self.item.bytes // self.chunk)), False), ranges=False)

    def _until_done(self, filling: _Filling, ranges: bool) -> None:
        import httpx2

        failures = 0
        while not filling.full:
            before = filling.at
            try:
                self._once(filling, ranges)
                if not filling.full:
                    raise httpx2.RemoteProtocolError("the answer ended early")
            except httpx2.HTTPError as error:
                failures = 1 if filling.at > before else failures + 1
                if failures >= self.client.patience.tries:
                    raise self.client.unreachable(self.item.address, error) from None
                self.client.waiter.wait(self.client.patience.backoff(failures), "broken")

    def _once(self, filling: _Filling, ranges: bool) -> None:
        headers = {}
        if ranges:
            headers["Range"] = f"bytes={filling.at}-{filling.end - 1}"
            # A weak ETag may not be used so (RFC 9110, 13.1.5).
            if self.sink.etag and not self.sink.etag.startswith("W/"):
                headers["If-Range"] = self.sink.etag
        with self.client.open(self.item.address, headers if self.item.bytes else {}) as response, self.sink.reading(response):
            filling.take(self._pieces(response), self._place(response, filling, headers.get("If-Range")))

    def _place(self, response: httpx2.Response, filling: _Filling, sent: str | None) -> int:
        """Where in the file the answer begins. Raises what says that it is no part of it."""
        import httpx2

        if response.headers.get("content-encoding", "identity") not in ("", "identity"):
            raise Unavailable(f"{self.client.host} sends {self.item.name} compressed, so that no part of it can be read.", "another mirror")
        etag = response.headers.get("etag", "")
        if not self.sink.met(etag):
            raise Changed
        if response.status_code == 206:
            said = content_range(response.headers.get("content-range", ""))
            if said is None or said[0] != filling.at or said[1] < said[0]:
                raise Unavailable(f"{self.client.host} sends another part of {self.item.name} than was asked for.", "another mirror")
            if said[2] not in (None, self.item.bytes):
                raise Changed
            return said[0]
        length = response.headers.get("content-length", "")
        if length.isdigit() and int(length) != self.item.bytes:
            raise Changed
        if sent is not None and etag != sent:
            # The content may be the same with another ETag, as from another edge of the network: the checksum will tell.
            raise httpx2.RemoteProtocolError("the whole file in place of a part")
        if filling.at > 0 and filling.ranged:
            raise NoRanges
        return 0

    def _pieces(self, response: httpx2.Response) -> Iterator[bytes]:
        for piece in response.iter_raw(1 << 17):
            if self.client.waiter.stop.is_set():
                raise Stopped
            self.sink.received(len(piece))
            yield piece


class _Filling:
    """A run of chunks being filled; a break leaves what came of the chunk in hand."""

    def __init__(self, worker: Worker, first: int, end: int, ranged: bool) -> None:
        self.worker, self.ranged = worker, ranged
        self.index, self.last = first, end
        self.end = min(end * worker.chunk, worker.item.bytes)
        self.held = bytearray()

    @property
    def at(self) -> int:
        """The place in the file of the next byte that is wanted."""
        return self.index * self.worker.chunk + len(self.held)

    @property
    def full(self) -> bool:
        return self.index >= self.last

    def take(self, pieces: Iterator[bytes], place: int) -> None:
        """Fill from an answer that begins at this place of the file; what lies before is passed over, what is beyond the run left."""
        self._finish_whole()
        for piece in () if self.full else pieces:
            start = max(0, min(len(piece), self.at - place))
            place += len(piece)
            while start < len(piece) and not self.full:
                more = min(self._length - len(self.held), len(piece) - start)
                self.held += piece[start : start + more]
                start += more
                self._finish_whole()
            if self.full:
                return

    @property
    def _length(self) -> int:
        """Bytes of the chunk in hand."""
        return min(self.worker.chunk, self.end - self.index * self.worker.chunk)

    def _finish_whole(self) -> None:
        """Hand over the chunk in hand when it is whole; an empty file is one empty chunk."""
        if self.full or len(self.held) < self._length:
            return
        if self.worker.sink.wants(self.index):
            content = bytes(self.held)
            self.worker.sink.put(self.index, content, hashlib.sha256(content).hexdigest())
        self.held.clear()
        self.index += 1
