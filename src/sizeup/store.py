"""What this machine has measured, kept between runs in one SQLite file of the user's data folder.

SQLite's journal makes every write whole or absent, so a kill at any moment loses at most the row being written.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .errors import Unavailable
from .home import data_dir
from .plan import Evidence, Measurement
from .points import made

if TYPE_CHECKING:
    import sqlite3

MIGRATIONS = (
    """CREATE TABLE measurement (
        id INTEGER PRIMARY KEY,
        date TEXT NOT NULL,
        level TEXT NOT NULL,
        engine TEXT NOT NULL,
        machine TEXT NOT NULL,
        model TEXT NOT NULL,
        settings TEXT NOT NULL,
        predicted TEXT NOT NULL,
        content TEXT NOT NULL
    )""",
    "CREATE INDEX measurement_of_model ON measurement (model, level)",
)
"""Append only: a store at version n has had the first n applied."""


@contextmanager
def _open() -> Iterator[sqlite3.Connection]:
    import sqlite3

    path = data_dir() / "sizeup.db"
    try:
        connection = sqlite3.connect(path, timeout=10)
    except sqlite3.Error as error:
        raise Unavailable(f"The store {path} cannot be opened: {error}.", f"move {path} away") from None
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] < len(MIGRATIONS):
            # Python opens no transaction for what defines tables; without one a kill leaves a table that is not in the version.
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                for statement in MIGRATIONS[version:]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        yield connection
    except sqlite3.DatabaseError as error:
        raise Unavailable(f"The store {path} is damaged: {error}.", f"move {path} away; it holds past measurements only") from None
    finally:
        connection.close()


def keep(measurement: Measurement, predicted: dict[str, Any]) -> int:
    """Store a measurement beside the prediction it answers; returns its number."""
    with _open() as connection, connection:
        cursor = connection.execute(
            "INSERT INTO measurement (date, level, engine, machine, model, settings, predicted, content) VALUES (?,?,?,?,?,?,?,?)",
            (
                measurement.date,
                measurement.level,
                measurement.engine,
                measurement.machine,
                measurement.model,
                json.dumps(measurement.settings, sort_keys=True),
                json.dumps(predicted),
                json.dumps(dataclasses.asdict(measurement)),
            ),
        )
        return int(cursor.lastrowid or 0)


def known(source: str) -> int | None:
    """The number of what was stored from this source; None when nothing was, so that a log that is read twice counts once."""
    if not (data_dir() / "sizeup.db").exists():
        return None
    with _open() as connection:
        row = connection.execute("SELECT id FROM measurement WHERE json_extract(content, '$.source') = ?", (source,)).fetchone()
    return int(row[0]) if row else None


def measurements(model: str | None = None) -> list[Measurement]:
    """Stored measurements, newest first; of one model when named. An empty list when nothing was ever stored."""
    if not (data_dir() / "sizeup.db").exists():
        return []
    with _open() as connection:
        where, values = ("WHERE model = ?", (model,)) if model else ("", ())
        rows = connection.execute(f"SELECT content FROM measurement {where} ORDER BY id DESC", values).fetchall()
    known = {field.name for field in dataclasses.fields(Measurement)}
    # A row of an older version lacks fields or has others; what is missing takes its default.
    return [_read({k: v for k, v in json.loads(row[0]).items() if k in known}) for row in rows]


def _read(fields: dict[str, Any]) -> Measurement:
    lists = {name: tuple(fields.get(name) or ()) for name in ("energy_counters", "compared")}
    return Measurement(**{**fields, **lists, "points": made(fields.get("points"))})


def evidence(model: str, quant: str, settings: dict[str, Any], machine: str = "this machine") -> tuple[Evidence, ...]:
    """What backs a plan with these very settings on this machine: the newest stored measurement of each level, the strongest last.

    A proof allocates nothing and holds anywhere; what ran is of the machine that it ran on.
    """
    newest: dict[str, Measurement] = {}
    asked = json.loads(json.dumps(settings))
    for found in measurements(model):
        alike = found.quant == quant and json.loads(json.dumps(found.settings)) == asked and not found.layers_run
        if alike and (found.level == "proved" or (found.machine or "this machine") == machine):
            newest.setdefault(found.level, found)
    order = [newest[level] for level in ("proved", "rehearsed", "measured") if level in newest]
    return tuple(Evidence(m.level, m.engine, m.date, m.difference_bytes, m.decode_tokens_per_s) for m in order)
