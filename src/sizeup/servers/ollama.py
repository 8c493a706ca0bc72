"""Ollama's own API: what it holds, what is loaded. Shapes: ollama/ollama docs/api.md and api/types.go of v0.12 (October 2025)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from sizeup.errors import Unavailable

from .client import Server

PORT = 11434


class Loaded(NamedTuple):
    """A model that Ollama holds in memory: what it plans to take, in all and on devices, for the context it runs with."""

    name: str
    bytes: int
    device_bytes: int
    context_tokens: int | None


def address(environment: Mapping[str, str] = os.environ) -> Server:
    """Where OLLAMA_HOST says that Ollama listens; this machine's usual port when it says nothing."""
    given = environment.get("OLLAMA_HOST", "").strip().strip("\"'") or "127.0.0.1"
    scheme, _, rest = given.rpartition("://")
    host, slash, path = rest.partition("/")
    if not re.search(r":\d+$", host):
        # Ollama itself takes the usual port where only a host or a scheme is named.
        host += {"http": ":80", "https": ":443"}.get(scheme, f":{PORT}")
    return Server(f"{scheme or 'http'}://{host}{slash}{path}", "Ollama")


def version(server: Server) -> tuple[int, ...]:
    """The running Ollama's version as numbers. Raises Unavailable when nobody answers, or somebody else."""
    said = _field(server, "/api/version", "version", str)
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
    if found is None:
        raise server.not_meant("/api/version")
    return tuple(int(number or 0) for number in found.groups())


def tags(server: Server) -> dict[str, str]:
    """Name -> digest of the manifest, of everything it holds."""
    rows = _field(server, "/api/tags", "models", list)
    return {row["name"]: str(row.get("digest", "")) for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str)}


def loaded(server: Server) -> list[Loaded]:
    """What is in memory now."""
    found = []
    for row in _field(server, "/api/ps", "models", list):
        if isinstance(row, dict) and isinstance(row.get("name"), str):
            context = row.get("context_length")
            found.append(Loaded(row["name"], _count(row, "size"), _count(row, "size_vram"), context if isinstance(context, int) else None))
    return found


def show(server: Server, name: str) -> dict[str, Any]:
    """What it knows of one model: `details`, `model_info`, `capabilities`, `parameters`."""
    found = server.ask("/api/show", {"model": name}, seconds=10.0)
    if not isinstance(found, dict) or not isinstance(found.get("details", found.get("model_info")), dict):
        raise server.not_meant("/api/show")
    return found


def _field(server: Server, path: str, name: str, kind: type) -> Any:
    found = server.ask(path)
    value = found.get(name) if isinstance(found, dict) else None
    # An Ollama without models says null.
    if value is None and kind is list and isinstance(found, dict) and name in found:
        return []
    if not isinstance(value, kind):
        raise server.not_meant(path)
    return value


def _count(row: Mapping[str, Any], name: str) -> int:
    value = row.get(name)
    return value if isinstance(value, int) and value >= 0 else 0


def at_least(server: Server, least: tuple[int, ...], what: str) -> None:
    """Raises Unavailable when the running Ollama is too old for something."""
    found = version(server)
    if found < least:
        raise Unavailable(
            f"Ollama {'.'.join(map(str, found))} is too old for {what}, which came with {'.'.join(map(str, least))}.",
            "https://ollama.com/download",
        )
