"""Whether an engine still does what it did: the same settings under two versions, and the newest version against our formula."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .plan import Measurement


class Drift(NamedTuple):
    """A part that is measured differently, beyond its band and what printing rounds away."""

    machine: str
    engine: str
    model: str
    part: str
    pool: str
    older: str
    """The version it was measured under before; "" when it is our formula that says otherwise."""
    newer: str
    before_bytes: int
    """Measured under the older version, or predicted."""
    after_bytes: int


def drifts(rows: Iterable[Measurement]) -> list[Drift]:
    """Every drift among measurements that were read from logs, the newest versions first."""
    groups: dict[str, dict[str, Measurement]] = {}
    for row in rows:
        if row.source and row.version:
            key = json.dumps([row.machine, row.engine, row.model, row.quant, row.settings], sort_keys=True)
            groups.setdefault(key, {}).setdefault(row.version, row)
    found: list[Drift] = []
    for versions in groups.values():
        ordered = sorted(versions, key=order)
        newest = versions[ordered[-1]]
        found += _against_formula(newest)
        if len(ordered) > 1:
            found += _between(versions[ordered[-2]], newest)
    return sorted(found, key=lambda one: order(one.newer), reverse=True)


def order(version: str) -> tuple[int, ...]:
    """Versions in the order they were made: b4701 before b11549, 0.9.2 before 0.19.0."""
    return tuple(int(number) for number in re.findall(r"\d{1,9}", version)[:6])


def _between(older: Measurement, newer: Measurement) -> Iterator[Drift]:
    before = {(row["part"], row["pool"]): row for row in older.compared}
    for row in newer.compared:
        was = before.get((row["part"], row["pool"]))
        if was is not None and abs(row["measured_bytes"] - was["measured_bytes"]) > _band(row) + was["rounding_bytes"]:
            yield Drift(
                newer.machine, newer.engine, newer.model, row["part"], row["pool"],
                older.version, newer.version, was["measured_bytes"], row["measured_bytes"],
            )  # fmt: skip


def _against_formula(row: Measurement) -> Iterator[Drift]:
    for one in row.compared:
        predicted = one.get("predicted_bytes")
        if predicted is not None and one.get("verdict") == "differs" and abs(one["measured_bytes"] - predicted) > _band(one):
            yield Drift(row.machine, row.engine, row.model, one["part"], one["pool"], "", row.version, predicted, one["measured_bytes"])


def _band(row: dict[str, Any]) -> float:
    share, whole = float(row["within"]), float(row.get("predicted_bytes") or row["measured_bytes"])
    return share * whole + float(row["rounding_bytes"])
