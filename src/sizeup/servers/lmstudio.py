"""LM Studio's own API: what it holds, what is loaded. Shapes: its documentation of REST API v0 (LM Studio 0.3.6 and later)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from .client import Server

PORT = 1234
STATES = ("loaded", "not-loaded")


class Listed(NamedTuple):
    """One model as LM Studio lists it; it tells no bytes."""

    id: str
    quant: str
    loaded: bool
    context_tokens: int | None
    """Of a loaded model, the context it runs with; otherwise the longest."""


def address(home: Path) -> Server:
    """Where its settings say that it listens; `home` is LM Studio's own folder."""
    try:
        said = json.loads((home / ".internal/http-server-config.json").read_bytes())
        port = said.get("port") if isinstance(said, dict) else None
    except (OSError, ValueError):
        port = None
    return Server(f"http://127.0.0.1:{port if isinstance(port, int) and 0 < port < 65536 else PORT}", "LM Studio")


def models(server: Server) -> list[Listed]:
    """Everything it lists. Raises Unavailable when nobody answers, or somebody else."""
    found = server.ask("/api/v0/models")
    rows = found.get("data") if isinstance(found, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows):
        raise server.not_meant("/api/v0/models")
    if any(row.get("state") not in STATES for row in rows):
        raise server.not_meant("/api/v0/models")
    return [Listed(row["id"], str(row.get("quantization") or ""), row["state"] == "loaded", _context(row)) for row in rows]


def _context(row: dict[str, object]) -> int | None:
    value = row.get("loaded_context_length", row.get("max_context_length"))
    return value if isinstance(value, int) else None
