"""Servers of these tools that run now: what they list and what they hold in memory. One that is not this machine is not asked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from sizeup.errors import SizeupError
from sizeup.servers import lmstudio, ollama
from sizeup.servers.client import Server
from sizeup.tool_folders import lmstudio_home

from .entry import Store


class Running(NamedTuple):
    """A server that was asked."""

    store: Store
    address: str
    version: str
    """"" where it tells none."""
    listed: tuple[str, ...]
    loaded: tuple[str, ...]
    device_bytes: int | None = None
    """What Ollama plans to take of devices for everything loaded."""
    bytes: int | None = None
    problem: str = ""
    """Why it was not asked, or what was wrong with its answer; "" when it answered."""

    def holds(self, name: str) -> bool:
        """Whether the model of this name is loaded. LM Studio calls one by a part of its folder or file."""
        if self.store == "ollama":
            return name in self.loaded
        lower = name.lower()
        return any(one.lower().split("/")[-1].partition("@")[0] in lower for one in self.loaded)


def running(stores: Iterable[Store], environment: Mapping[str, str] = os.environ, home: Path | None = None) -> tuple[Running, ...]:
    """What answers of Ollama and LM Studio. Nobody listening is no problem; somebody else is."""
    found: list[Running] = []
    wanted = set(stores)
    if "ollama" in wanted:
        found += _asked("ollama", lambda: ollama.address(environment), _ollama)
    if "lmstudio" in wanted:
        found += _asked("lmstudio", lambda: lmstudio.address(lmstudio_home(home or Path.home())), _lmstudio)
    return tuple(found)


def _asked(store: Store, address: Callable[[], Server], ask: Callable[[Server], Running]) -> list[Running]:
    try:
        server = address()
    except SizeupError as error:
        return [Running(store, "", "", (), (), problem=error.message)]
    if not server.loopback:
        return [Running(store, server.base, "", (), (), problem=f"{server.base} is not this machine, so it was not asked.")]
    if not _listens(server):
        return []
    try:
        return [ask(server)]
    except SizeupError as error:
        return [Running(store, server.base, "", (), (), problem=error.message)]


def _listens(server: Server) -> bool:
    import socket

    try:
        with socket.create_connection((server.host, server.port), timeout=0.5):
            return True
    except OSError:
        return False


def _ollama(server: Server) -> Running:
    version = ollama.version(server)
    loaded = ollama.loaded(server)
    return Running(
        "ollama",
        server.base,
        ".".join(map(str, version)),
        tuple(ollama.tags(server)),
        tuple(one.name for one in loaded),
        sum(one.device_bytes for one in loaded),
        sum(one.bytes for one in loaded),
    )


def _lmstudio(server: Server) -> Running:
    rows = lmstudio.models(server)
    return Running("lmstudio", server.base, "", tuple(row.id for row in rows), tuple(row.id for row in rows if row.loaded))
