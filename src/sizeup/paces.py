"""What runs and rehearsals on this machine taught: the share of its memory's bandwidth that decoding really reached."""

from __future__ import annotations

import functools
import json
from typing import Any

from .home import data_dir, write_atomically

FILE = "paces.json"
MOST = 50
"""Lessons that are kept; the oldest go first."""


NEAR = 8
"""A lesson counts for models that read up to so many times more or fewer bytes a token: small ones live in the processor's caches."""


def learn(cpu: str, share: float, model: str, quant: str, moved_bytes: int, date: str) -> None:
    """Keep one lesson of this processor: the share that a model in this format reached, reading so many bytes a token."""
    lessons = [row for row in _read() if isinstance(row, dict)]
    lessons.append({"cpu": cpu, "share": share, "model": model, "quant": quant, "moved_bytes": moved_bytes, "date": date})
    write_atomically(data_dir() / FILE, (json.dumps(lessons[-MOST:], ensure_ascii=False) + "\n").encode())
    _lessons.cache_clear()


def shares(cpu: str, quant: str, moved_bytes: int) -> tuple[float, ...]:
    """The shares reached on this processor by models in this format and of this size, oldest first."""
    return tuple(
        share
        for name, mix, moved, share in _lessons()
        if (name, mix) == (cpu, quant) and moved_bytes <= NEAR * moved <= NEAR * NEAR * moved_bytes
    )


@functools.cache
def _lessons() -> tuple[tuple[str, str, int, float], ...]:
    """What can be made of the file; a damaged one teaches nothing."""
    found: list[tuple[str, str, int, float]] = []
    for row in _read():
        try:
            lesson = (str(row["cpu"]), str(row["quant"]), int(row["moved_bytes"]), float(row["share"]))
        except (TypeError, KeyError, ValueError):
            continue
        if lesson[2] > 0 and lesson[3] > 0:
            found.append(lesson)
    return tuple(found)


def _read() -> list[Any]:
    try:
        found = json.loads((data_dir() / FILE).read_bytes())
    except (OSError, ValueError):
        return []
    return found if isinstance(found, list) else []
