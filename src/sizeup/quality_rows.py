"""The rows behind a score: every shipped benchmark result of a model, each with who reported it, where and when."""

from __future__ import annotations

import csv
import functools
import io
from typing import NamedTuple

from .facts import Source, data_bytes, data_json


class Result(NamedTuple):
    """One benchmark result."""

    name: str
    """The model as its source calls it."""
    benchmark: str
    task: str
    """The task it speaks for; "general" for knowledge that any task needs."""
    score: float
    self_reported: bool
    grade: str
    source: Source


def results(id: str) -> tuple[Result, ...]:
    """All results of a catalogue model, those of others before its maker's own."""
    return _by_model().get(id, ())


def speaks_for(benchmark: str) -> str:
    """The task that a benchmark speaks for (data/quality/tasks.json)."""
    tasks = data_json("quality/tasks.json")["tasks"]
    return next((task for task, about in tasks.items() if benchmark in about["benchmarks"]), "general")


@functools.cache
def _by_model() -> dict[str, tuple[Result, ...]]:
    # Only an explanation reads the rows; a score needs what was fitted over them.
    import lzma

    found: dict[str, list[Result]] = {}
    for row in csv.DictReader(io.StringIO(lzma.decompress(data_bytes("quality/benchmarks.csv.xz")).decode())):
        own = row["self_reported"] == "yes"
        source = Source("published", row["source"], row["date"])
        told = Result(row["model"], row["benchmark"], speaks_for(row["benchmark"]), float(row["score"]), own, row["quality"], source)
        found.setdefault(row["catalogue"], []).append(told)
    return {id: tuple(sorted(each, key=lambda r: (r.self_reported, r.task, r.benchmark))) for id, each in found.items()}
