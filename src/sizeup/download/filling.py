"""The bytes of one file, brought: workers take what is missing from a queue, the checksum follows them chunk by chunk."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sizeup.errors import SizeupError, Unavailable
from sizeup.net import Client, Status, Stopped

from .disk import part_of
from .item import Event, Item, Tell
from .journal import Journal
from .pace import Pace
from .spans import Changed, NoRanges, Worker

if TYPE_CHECKING:
    import httpx2

LONGEST_RUN = 32
"""Chunks that are asked for at once: a request each, so that what one connection holds up is little."""
BAD_CHUNKS = 16
"""Chunks that may come back from the disk other than they were written; beyond that the disk itself is in doubt."""
TOLD_EVERY_S = 0.2


class Filling:
    """Fills the part file of one item, which is open as `file`; `checksum` may be called again after a journal was cleared."""

    def __init__(
        self,
        client: Client,
        item: Item,
        tell: Tell,
        pace: Pace,
        journal: Journal,
        file: int,
        chunk: int,
        connections: int,
        failed: Callable[[Status], SizeupError],
    ) -> None:
        self.client, self.item, self._tell, self._pace = client, item, tell, pace
        self._journal, self._file, self._chunk, self._connections, self._failed = journal, file, chunk, connections, failed
        self._state = threading.Condition()
        self._error: BaseException | None = None
        self._ranges = True
        self._over = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._fresh: set[int] = set()
        self._loose = False

    def forget(self) -> None:
        """Let go of all that came, and of what the server called it."""
        self._journal.clear()
        self._loose = False

    def checksum(self) -> str:
        """Workers fill what is missing while the checksum follows; the checksum of the whole."""
        self._error = None
        self._queue = deque(self._runs())
        self._over = threading.Event()
        workers = [threading.Thread(target=self._work, daemon=True) for _ in range(min(self._connections, len(self._queue)))]
        for worker in workers:
            worker.start()
        try:
            return self._follow(workers)
        finally:
            self._end()
            for worker in workers:
                worker.join()

    def _end(self) -> None:
        """Bring every worker to its end, also one that waits for a server which sends nothing."""
        with self._state:
            self._over.set()
            for open_socket in self._sockets:
                with suppress(OSError):
                    open_socket.shutdown(socket.SHUT_RDWR)

    def _runs(self) -> list[tuple[int, int]]:
        """What is missing in pieces that keep every connection busy."""
        missing = self._journal.missing()
        chunks = sum(end - first for first, end in missing)
        longest = max(1, min(LONGEST_RUN, -(-chunks // self._connections)))
        return [(start, min(start + longest, end)) for first, end in missing for start in range(first, end, longest)]

    def _work(self) -> None:
        worker = Worker(self.client.until(self._over), self.item, self._chunk, self)
        while True:
            with self._state:
                if not self._queue or self._error is not None or not self._ranges or self._over.is_set():
                    return
                first, end = self._queue.popleft()
            try:
                try:
                    worker.run(first, end)
                except NoRanges:
                    with self._state:
                        # One connection does it all; the others come to an end.
                        alone, self._ranges = self._ranges, False
                    if alone:
                        worker.everything()
            except BaseException as error:
                with self._state:
                    self._error = self._error or error
                    self._state.notify_all()
                return

    def _follow(self, workers: list[threading.Thread]) -> str:
        """The checksum, chunk by chunk in order as they come to lie on the disk; each is compared with what was received."""
        sum, bad = self.item.sum(), 0
        index = 0
        while index < self._journal.count:
            if not self._wait_for(index, workers):
                workers += self._more()
                continue
            content = os.pread(self._file, self._journal.length(index), index * self._chunk)
            if hashlib.sha256(content).hexdigest() != self._journal.done[index]:
                # What another day left may have been lost with the power; what was written just now may not.
                bad += index in self._fresh
                if bad > BAD_CHUNKS:
                    raise Unavailable(
                        f"The disk gives back other bytes of {part_of(self.item)} than were written.", "a folder on another disk, by --to"
                    )
                self._tell(Event("bad", self.item.name, index * self._chunk, self.item.bytes))
                with self._state:
                    self._journal.void(index)
                    self._queue.append((index, index + 1))
                continue
            sum.update(content)
            index += 1
        return sum.hexdigest()

    def _wait_for(self, index: int, workers: list[threading.Thread]) -> bool:
        """Wait until a chunk is here; False when nobody is left to bring it."""
        while True:
            with self._state:
                if index in self._journal.done:
                    return True
                if self._error is not None:
                    self._raise(self._error)
                busy = any(worker.is_alive() for worker in workers)
                if busy:
                    self._state.wait(TOLD_EVERY_S)
            self._tell(Event("progress", self.item.name, self._journal.done_bytes, self.item.bytes, self._pace.bytes_per_s))
            if self.client.waiter.stop.is_set():
                raise Stopped
            if not busy:
                return index in self._journal.done

    def _more(self) -> list[threading.Thread]:
        """A further worker for what was put back, or for what those that gave up left."""
        with self._state:
            self._queue = deque(self._runs())
            target = self._work if self._ranges else self._work_alone
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        return [thread]

    def _work_alone(self) -> None:
        try:
            Worker(self.client.until(self._over), self.item, self._chunk, self).everything()
        except BaseException as error:
            with self._state:
                self._error = self._error or error
                self._state.notify_all()

    def _raise(self, error: BaseException) -> None:
        if isinstance(error, Status):
            if error.status == 416:
                raise Changed from None
            raise self._failed(error) from None
        raise error

    # What workers call, from their threads.

    @property
    def etag(self) -> str:
        return "" if self._loose else self._journal.etag

    def met(self, etag: str) -> bool:
        with self._state:
            if not etag or self._loose:
                return True
            if not self._journal.etag:
                self._journal.keep_etag(etag)
                return True
            if self._journal.etag == etag:
                return True
            # With a checksum the content decides, and not what some edge of a network calls it.
            self._loose = self.item.expected is not None
            return self._loose

    @contextmanager
    def reading(self, response: httpx2.Response) -> Iterator[None]:
        stream = response.extensions.get("network_stream")
        found = stream.get_extra_info("socket") if stream is not None else None
        with self._state:
            if found is not None:
                self._sockets.add(found)
        try:
            yield
        finally:
            with self._state:
                self._sockets.discard(found)

    def received(self, count: int) -> None:
        self._pace.add(count)
        if self._over.is_set():
            raise Stopped

    def wants(self, index: int) -> bool:
        with self._state:
            return index not in self._journal.done

    def put(self, index: int, content: bytes, digest: str) -> None:
        at, left = index * self._chunk, memoryview(content)
        while left:
            written = os.pwrite(self._file, left, at)
            at, left = at + written, left[written:]
        with self._state:
            self._fresh.add(index)
            self._journal.add(index, digest)
            self._state.notify_all()
