"""Models from a table: Parquet, CSV or JSON through duckdb, or the shipped catalogue.

A row is a model: a name in a column `id` (or `model`, `name`, `repo`), and either its config.json as text in a column `config`, or
the config's keys as columns of their own (`model_type`, `hidden_size`, …), empty where a config does not have one.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import NotFound, Unavailable, Unreadable, UserError

NAMES = ("id", "model", "name", "repo")
CONFIG = "config"
CATALOGUE = "catalogue"
READERS = {
    "parquet": "read_parquet",
    "csv": "read_csv",
    "tsv": "read_csv",
    "json": "read_json",
    "jsonl": "read_json",
    "ndjson": "read_json",
}
BATCH = 20_000


def duckdb() -> Any:
    """The library that reads and writes tables; raises Unavailable with the extra that brings it."""
    try:
        import duckdb as library
    except ImportError:
        raise Unavailable(
            "Sweeps read and write their tables with duckdb, which is not installed.", 'pip install ".[sweep]" in the folder of sizeup'
        ) from None
    return library


def models(source: str, only: str | None = None) -> Iterator[tuple[str, str]]:
    """(name, config as JSON text) of every model in the table, in its order; `only` is a pattern for names such as `Qwen/*`.

    Raises NotFound, Unreadable or UserError for a file that is missing, broken or has no models.
    """
    rows = _catalogue() if source == CATALOGUE else _table(Path(source))
    pattern = only.lower() if only else None
    return (row for row in rows if pattern is None or fnmatch.fnmatchcase(row[0].lower(), pattern))


def _catalogue() -> Iterator[tuple[str, str]]:
    from ..readers import catalogue_data

    for number, name in enumerate(catalogue_data.index().ids):
        yield name, json.dumps(catalogue_data.record(number)[1], sort_keys=True)


def _table(path: Path) -> Iterator[tuple[str, str]]:
    library = duckdb()
    if not path.is_file():
        raise NotFound(f"There is no table {path}.", "catalogue, or the path of a .parquet, .csv or .jsonl file")
    reader = READERS.get(path.name.removesuffix(".gz").rpartition(".")[2].lower())
    if reader is None:
        raise UserError(f"{path.name} is no kind of table that a sweep reads.", "a .parquet, .csv or .jsonl file")
    with library.connect() as connection:
        try:
            found = connection.execute(f"SELECT * FROM {reader}(?)", [str(path)])
            columns = [column[0] for column in found.description]
            name_at = next((columns.index(name) for name in NAMES if name in columns), -1)
            if CONFIG not in columns and "model_type" not in columns:
                raise UserError(
                    f"{path.name} has neither a column “config” nor one “model_type”.", "a column config with each model's config.json"
                )
            number = 0
            while rows := found.fetchmany(BATCH):
                for row in rows:
                    number += 1
                    name = str(row[name_at]) if name_at >= 0 and row[name_at] is not None else f"row {number}"
                    yield name, _config(dict(zip(columns, row, strict=True)), name_at >= 0 and columns[name_at])
        except library.Error as error:
            raise Unreadable(f"{path.name} cannot be read: {str(error).splitlines()[0]}", "a file that duckdb opens") from None


def _config(row: dict[str, Any], name: str | bool) -> str:
    """A row's config as JSON text: its own column, or its other columns by name."""
    own = row.get(CONFIG)
    if isinstance(own, str):
        return own
    if CONFIG in row:
        return json.dumps(own, sort_keys=True, default=str)
    return json.dumps({key: _value(value) for key, value in row.items() if value is not None and key != name}, sort_keys=True, default=str)


def _value(value: Any) -> Any:
    """Lists and objects that a CSV holds as text."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
