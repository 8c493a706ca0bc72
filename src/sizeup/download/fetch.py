"""One file, fetched: workers fill it chunk by chunk, the checksum follows behind, and only a whole and checked file gets its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from sizeup.errors import SizeupError, Unavailable, Unreadable
from sizeup.home import keep_entry
from sizeup.net import Client, Status, Stopped

from .disk import in_words, part_of
from .filling import Filling
from .item import Event, Item, Tell
from .journal import Journal, chunk_bytes
from .lock import locked
from .pace import Pace
from .spans import Changed

CONNECTIONS = 4
RESTARTS = 3


class Download:
    """Fetches one item. `run` may be called again after anything, in this process or another, and goes on where it was."""

    def __init__(
        self,
        client: Client,
        item: Item,
        tell: Tell = lambda event: None,
        *,
        connections: int = CONNECTIONS,
        chunk: int | None = None,
        failed: Callable[[Status], SizeupError] | None = None,
    ) -> None:
        self.client, self.item, self._tell = client, item, tell
        self._connections, self._chunk = connections, chunk or chunk_bytes(item.bytes)
        self._failed = failed or (lambda error: Unavailable(f"{client.host} answers {error.status} for {item.name}.", "again later"))
        self.part = part_of(item)
        self.pace = Pace()

    def run(self) -> None:
        """Fetch what is missing, check everything, and give the file its name. Raises SizeupError or Stopped; what came is kept."""
        item = self.item
        try:
            item.path.parent.mkdir(parents=True, exist_ok=True)
            journal = self.part.with_name(self.part.name + ".journal")
            with locked(journal, self.client.waiter.stop, lambda: self._say("locked")) as lock:
                if item.path.exists() and self._here():
                    self.part.unlink(missing_ok=True)
                else:
                    kept = Journal(journal, item, self._chunk)
                    kept.open(lock)
                    self._fetch(kept)
                journal.unlink(missing_ok=True)
            with suppress(OSError):
                item.scratch.rmdir()
        except OSError as error:
            raise in_words(error, item.path) from None

    def _here(self) -> bool:
        """Whether the finished file is there and is what it should be. Raises Unreadable for another file of that name."""
        item, sum = self.item, self.item.sum()
        if item.path.stat().st_size == item.bytes:
            with item.path.open("rb") as file:
                at = 0
                while piece := file.read(1 << 22):
                    sum.update(piece)
                    at += len(piece)
                    self._say("checking", at)
                    self._stop_if_wanted()
            if item.expected in (None, sum.hexdigest()):
                self._say("here", item.bytes)
                return True
        raise Unreadable(f"{item.path} is there and is not {item.name} as published.", "move it away, then the same command")

    def _fetch(self, journal: Journal) -> None:
        new = not self.part.exists()
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        file = os.open(self.part, flags, 0o644)
        try:
            if new and journal.done:
                journal.clear()  # somebody removed what it is about
            os.ftruncate(file, self.item.bytes)
            self._say("start", journal.done_bytes)
            self._until_right(
                Filling(self.client, self.item, self._tell, self.pace, journal, file, self._chunk, self._connections, self._failed)
            )
            os.fsync(file)
        finally:
            os.close(file)
        os.replace(self.part, self.item.path)
        keep_entry(self.item.path.parent)
        self._say("done", self.item.bytes)

    def _until_right(self, filling: Filling) -> None:
        """Fill and check, once more in full when the whole is not what its publisher says."""
        doubted, restarts = False, 0
        while True:
            try:
                found = filling.checksum()
            except Changed:
                restarts += 1
                if restarts > RESTARTS:
                    raise Unavailable(f"{self.item.name} changes on the server while it is fetched.", "again later") from None
                self._again(filling, "changed")
                continue
            if self.item.expected in (None, found):
                return
            if doubted:
                filling.forget()
                self.part.unlink(missing_ok=True)
                raise Unreadable(
                    f"{self.item.name} came twice, and not with the checksum that its publisher states: not kept.",
                    "another mirror, or later",
                )
            # Every chunk is as it came, so it came wrong; no publisher says of which part.
            doubted = True
            self._again(filling, "checksum")

    def _again(self, filling: Filling, why: str) -> None:
        """Forget what came and begin anew."""
        filling.forget()
        self._tell(Event("again", self.item.name, 0, self.item.bytes, words=why))

    def _say(self, kind: str, done: int = 0) -> None:
        self._tell(Event(kind, self.item.name, done, self.item.bytes, self.pace.bytes_per_s))

    def _stop_if_wanted(self) -> None:
        if self.client.waiter.stop.is_set():
            raise Stopped
