"""What runs and rehearsals on this machine taught: the share of its memory's bandwidth that decoding really reached."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, NamedTuple

from .home import data_dir, write_atomically

FILE = "paces.json"
MOST = 50
"""Lessons that are kept; the oldest go first."""


NEAR = 8
"""A lesson counts for models that read up to so many times more or fewer bytes a token: small ones live in the processor's caches."""


def learn(
    cpu: str, share: float, model: str, quant: str, moved_bytes: int, date: str, depth_tokens: int | None = None, sequences: int = 1
) -> None:
    """Keep one lesson of this processor: the share that a model in this format reached, reading so many bytes a step.

    `depth_tokens` were in the cache of each of `sequences` that were decoded together.
    """
    path = data_dir() / FILE
    kept = [row for row in _read(path) if isinstance(row, dict)]
    lesson = {"cpu": cpu, "share": share, "model": model, "quant": quant, "moved_bytes": moved_bytes, "date": date}
    kept.append({**lesson, "depth_tokens": depth_tokens, "sequences": sequences})
    write_atomically(path, (json.dumps(kept[-MOST:], ensure_ascii=False) + "\n").encode())
    _lessons.cache_clear()


SHALLOW_TOKENS, NEAR_DEPTH = 512, 4
"""Depths up to the first are alike; deeper ones count for those up to so many times as deep or as shallow."""


def taught(cpu: str, quant: str, moved_bytes: int, sequences: int = 1, depth_tokens: int = 0) -> tuple[Lesson, ...]:
    """What models in this format and of this size reached on this processor, oldest first, so many decoded together so deep."""
    return tuple(
        lesson
        for lesson in lessons()
        if (lesson.cpu, lesson.quant, lesson.sequences) == (cpu, quant, sequences)
        and moved_bytes <= NEAR * lesson.moved_bytes <= NEAR * NEAR * moved_bytes
        and _near_depth(depth_tokens, lesson.depth_tokens)
    )


def _near_depth(asked: int, taught: int | None) -> bool:
    if taught is None:
        return True
    shallow, deep = sorted((max(asked, SHALLOW_TOKENS), max(taught, SHALLOW_TOKENS)))
    return deep <= NEAR_DEPTH * shallow


class Lesson(NamedTuple):
    """What one decoding taught. Shares fall with depth and batch, as arithmetic joins the reading."""

    cpu: str
    quant: str
    moved_bytes: int
    share: float
    depth_tokens: int | None = None
    """None in lessons of before depths were kept."""
    sequences: int = 1
    model: str = ""
    date: str = ""


def lessons() -> tuple[Lesson, ...]:
    """Every lesson that can be read, oldest first."""
    return _lessons(data_dir() / FILE)


@functools.cache
def _lessons(path: Path) -> tuple[Lesson, ...]:
    """What can be made of the file; a damaged one teaches nothing."""
    found: list[Lesson] = []
    for row in _read(path):
        try:
            depth = row.get("depth_tokens")
            lesson = Lesson(
                str(row["cpu"]), str(row["quant"]), int(row["moved_bytes"]), float(row["share"]),
                None if depth is None else int(depth), int(row.get("sequences", 1)), str(row.get("model", "")), str(row.get("date", "")),
            )  # fmt: skip
        except (TypeError, KeyError, ValueError, AttributeError):
            continue
        if lesson.moved_bytes > 0 and lesson.share > 0:
            found.append(lesson)
    return tuple(found)


def _read(path: Path) -> list[Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return []
    return found if isinstance(found, list) else []
