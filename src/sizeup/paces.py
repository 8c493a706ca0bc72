"""What runs and rehearsals on this machine taught: the share of its memory's bandwidth that decoding really reached."""

from __future__ import annotations

import functools
import json
from typing import Any

from .home import data_dir, write_atomically

FILE = "paces.json"
MOST = 50
"""Lessons that are kept; the oldest go first."""


def learn(cpu: str, share: float, model: str, date: str) -> None:
    """Keep one lesson of this processor."""
    lessons = [row for row in _read() if isinstance(row, dict)]
    lessons.append({"cpu": cpu, "share": share, "model": model, "date": date})
    write_atomically(data_dir() / FILE, (json.dumps(lessons[-MOST:], ensure_ascii=False) + "\n").encode())
    shares.cache_clear()


@functools.cache
def shares(cpu: str) -> tuple[float, ...]:
    """The shares reached on this processor, oldest first; a damaged file teaches nothing."""
    return tuple(
        float(row["share"])
        for row in _read()
        if isinstance(row, dict) and row.get("cpu") == cpu and isinstance(row.get("share"), float) and row["share"] > 0
    )


def _read() -> list[Any]:
    try:
        found = json.loads((data_dir() / FILE).read_bytes())
    except (OSError, ValueError):
        return []
    return found if isinstance(found, list) else []
