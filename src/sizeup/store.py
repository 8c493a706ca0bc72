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
from .plan import Measurement

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
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for number, statement in enumerate(MIGRATIONS[version:], version + 1):
            with connection:
                connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
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


def measurements(model: str | None = None) -> list[Measurement]:
    """Stored measurements, newest first; of one model when named. An empty list when nothing was ever stored."""
    if not (data_dir() / "sizeup.db").exists():
        return []
    with _open() as connection:
        where, values = ("WHERE model = ?", (model,)) if model else ("", ())
        rows = connection.execute(f"SELECT content FROM measurement {where} ORDER BY id DESC", values).fetchall()
    return [Measurement(**json.loads(row[0])) for row in rows]
