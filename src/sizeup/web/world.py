"""Where a server looks models and machines up: it keeps what it read, reads no files for others, and probes this machine now and then."""

from __future__ import annotations

import functools
import threading
import time

from sizeup.errors import NotAllowed
from sizeup.fleet.asked import MOST_MODELS, MOST_NODES, cluster_of, content, wishes_of
from sizeup.fleet.node import Inventory
from sizeup.fleet.targets_file import Wishes
from sizeup.hardware import Machine
from sizeup.model import ModelSpec
from sizeup.operations.world import World, with_ram

from .headers import PREFIX, Shelf

FRESH_S = 5.0
"""This machine's free memory is asked again after so many seconds."""
MOST_NAME = 300
"""Characters of a name that is kept; longer ones are looked up each time."""


class ServedWorld(World):
    """What anybody may ask a server about."""

    def __init__(self, allow_files: bool = False, tells_programs: bool = True) -> None:
        """`tells_programs` False keeps to itself which programs run here, as whoever is on another machine need not know."""
        self.allow_files, self.tells_programs = allow_files, tells_programs
        self.shelf = Shelf()
        # Looking closely begins with a look.
        self._lock = threading.RLock()
        self._here: dict[bool, tuple[float, Machine]] = {}
        self._model = functools.lru_cache(maxsize=256)(self._read)
        self._machine = functools.lru_cache(maxsize=256)(self._found)

    def model(self, name: str, assume: str | None = None) -> ModelSpec:
        if name.startswith(PREFIX):
            return self.shelf.model(name)
        # A file may have changed since.
        return self._read(name, assume) if self.allow_files or len(name) > MOST_NAME else self._model(name, assume)

    def machine(self, name: str | None = None, ram: int | None = None) -> Machine:
        if name is None or name.lower() in ("this", "here", "this machine"):
            return with_ram(self.here(), ram)
        return self._found(name, ram) if self.allow_files or len(name) > MOST_NAME else self._machine(name, ram)

    def detailed(self, name: str | None = None, ram: int | None = None) -> Machine:
        if name is None or name.lower() in ("this", "here", "this machine"):
            return with_ram(self.here(detailed=self.tells_programs), ram)
        return self.machine(name, ram)

    def file(self, path: str) -> str:
        if not self.allow_files:
            raise NotAllowed("A file is named, and this server reads no files for others.", "sizeup serve --allow-files")
        return path

    def stores(self) -> bool:
        if not self.allow_files:
            raise NotAllowed(
                "The models on this machine are asked for, and this server reads no files for others.", "sizeup serve --allow-files"
            )
        return False

    keeps = False
    most_nodes: int | None = MOST_NODES

    def cluster(self, nodes: str) -> Inventory:
        """The nodes that the question itself says; no file is read for it and no scheduler asked."""
        return cluster_of(content(nodes, "nodes"), self.machine, MOST_NODES)

    def load(self, load: str) -> Wishes:
        return wishes_of(content(load, "load"), self.model, MOST_MODELS)

    def log(self, path: str) -> bytes:
        from sizeup.logs.source import content

        return content(self.file(path), piped=False)

    def here(self, detailed: bool = False) -> Machine:
        """This machine, as it was found at most FRESH_S ago."""
        with self._lock:
            found = self._here.get(detailed)
            if found is None or time.monotonic() - found[0] > FRESH_S:
                found = time.monotonic(), super().detailed() if detailed else super().machine()
                self._here[detailed] = found
            return found[1]

    def _read(self, name: str, assume: str | None = None) -> ModelSpec:
        if self.allow_files:
            return super().model(name, assume)
        from sizeup.readers import read_published

        return read_published(name)

    def _found(self, name: str, ram: int | None) -> Machine:
        from sizeup.probe import machine

        return machine(name, ram=ram, files=self.allow_files)
