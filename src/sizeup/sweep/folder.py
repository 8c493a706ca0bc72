"""The folder of a sweep: its tables as Parquet, and a manifest of the groups that are finished, so that it can go on where it stopped.

models.parquet    model, shape                       which shape each model has
shapes/*.parquet  shape, first, parameters, …        what was read of each shape, or why it could not be
machines.parquet  machine, class                     which class each machine is of
cells/*.parquet   shape, class, quant, …             the answer; joins the others by `shape` and `class`
"""

from __future__ import annotations

import json
import os
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from ..errors import Unavailable, UserError
from .group import PLACEMENTS, Asked, Found, Table
from .rows import duckdb

MANIFEST = "manifest.json"
VERSION = 1

CELLS = """
SELECT shape, $classes[class + 1] AS class, $quants[quant + 1] AS quant, $contexts[context + 1] AS context_tokens,
    $k[kv + 1] AS k, $v[kv + 1] AS v,
    CASE WHEN NOT refused THEN $placements[placement + 1] END AS placement,
    CASE WHEN NOT refused AND $fitting THEN room_bytes >= 0 END AS fits,
    CASE WHEN NOT refused THEN card_bytes END AS card_bytes,
    CASE WHEN NOT refused THEN host_bytes END AS host_bytes,
    CASE WHEN NOT refused AND $fitting THEN room_bytes END AS room_bytes
FROM cells
"""
"""Null where the engine refuses the cell; `fits` and the room also where no machine was asked about."""


class Folder:
    """Where a sweep's answer lies."""

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        self.path = path
        self.options = {"version": VERSION, **options}
        self.groups: dict[str, dict[str, Any]] = {}

    def look(self) -> None:
        """Read what an earlier run finished; raises UserError when the folder holds another sweep or something else. Writes nothing."""
        manifest = self.path / MANIFEST
        if manifest.is_file():
            try:
                kept = json.loads(manifest.read_text(encoding="utf-8"))
                options, groups = kept["options"], kept["groups"]
            except (ValueError, KeyError, TypeError):
                raise UserError(f"{manifest} is no manifest of a sweep.", "another folder") from None
            if options != self.options:
                raise UserError(f"{self.path} holds a sweep with other options.", "another folder, or the options it was begun with")
            self.groups = groups
        elif self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise UserError(f"{self.path} is there and is no sweep.", "a folder that is empty or does not exist")

    def make(self, groups: Iterable[str]) -> None:
        """Make the folder where it is not there, and let go of groups that an earlier run wrote and this one does not have."""
        try:
            for folder in ("cells", "shapes"):
                (self.path / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"{self.path} cannot be made: {error.strerror}.", "a folder of yours") from None
        for group in set(self.groups) - set(groups):
            for name in self.groups.pop(group)["files"]:
                (self.path / name).unlink(missing_ok=True)
        self._keep()

    def done(self, shapes: Container[str]) -> dict[str, list[str]]:
        """Group -> its shapes, of those that an earlier run finished, whose files are still there and whose shapes are all asked for."""
        return {
            group: kept["keys"]
            for group, kept in self.groups.items()
            if all((self.path / name).is_file() for name in kept["files"]) and all(key in shapes for key in kept["keys"])
        }

    def finish(self, group: str, summary: dict[str, Any]) -> None:
        """Note that a group's files are whole."""
        self.groups[group] = summary
        self._keep()

    def _keep(self) -> None:
        content = json.dumps({"options": self.options, "groups": dict(sorted(self.groups.items()))}, indent=1)
        partial = self.path / f".{MANIFEST}"
        try:
            partial.write_text(content, encoding="utf-8")
            os.replace(partial, self.path / MANIFEST)
        except OSError as error:
            raise Unavailable(f"{self.path} cannot be written: {error.strerror}.", "a folder with free space") from None


def write_group(path: Path, group: str, found: Found, asked: Asked) -> dict[str, Any]:
    """A group's two files, whole or not at all; returns what the manifest keeps of it."""
    shapes = {name: numpy.array([row.get(name) for row in found.shapes], object) for name in SHAPE_COLUMNS}
    files = [f"shapes/{group}.parquet"]
    select = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in SHAPE_COLUMNS.items())
    write(path / files[0], f"SELECT {select} FROM cells", shapes, {})
    keys = [row["shape"] for row in found.shapes]
    summary: dict[str, Any] = {"files": files, "keys": keys, "unreadable": sum(bool(row["error"]) for row in found.shapes)}
    if found.cells is None:
        return {**summary, "cells": 0, "fits": 0}
    files.append(f"cells/{group}.parquet")
    words = {
        "classes": [kind.key for kind in asked.classes],
        "quants": list(asked.quants),
        "contexts": list(asked.contexts),
        "k": [k for k, _ in asked.kv],
        "v": [v for _, v in asked.kv],
        "placements": list(PLACEMENTS),
        "fitting": any(kind.free_bytes for kind in asked.classes),
    }
    write(path / files[1], CELLS, found.cells, words)
    fits = int(((found.cells["room_bytes"] >= 0) & ~found.cells["refused"]).sum()) if words["fitting"] else 0
    return {**summary, "cells": len(found.cells["refused"]), "fits": fits}


SHAPE_COLUMNS = {
    "shape": "VARCHAR",
    "first": "VARCHAR",
    "architecture": "VARCHAR",
    "parameters": "BIGINT",
    "active_parameters": "BIGINT",
    "layers": "INTEGER",
    "model_context_tokens": "BIGINT",
    "error": "VARCHAR",
}


def write(path: Path, select: str, cells: Table, words: Mapping[str, Any]) -> None:
    """A Parquet file from numpy columns called `cells`; it has its name only when it is whole."""
    library = duckdb()
    partial = path.with_name(f".{path.name}")
    with library.connect() as connection:
        connection.register("cells", cells)
        used = {name: value for name, value in words.items() if f"${name}" in select}
        try:
            connection.execute(
                f"COPY ({select}) TO '{str(partial).replace(chr(39), chr(39) * 2)}' (FORMAT parquet, COMPRESSION zstd)", used or None
            )
            os.replace(partial, path)
        except (library.Error, OSError) as error:
            raise Unavailable(f"{path} cannot be written: {str(error).splitlines()[0]}", "a folder with free space") from None
        finally:
            partial.unlink(missing_ok=True)


def write_pairs(path: Path, names: tuple[str, str], pairs: Iterable[tuple[str, str]]) -> int:
    """A table of two text columns; returns its rows."""
    rows: Sequence[tuple[str, str]] = list(pairs)
    table = {name: numpy.array([row[index] for row in rows], object) for index, name in enumerate(names)}
    select = ", ".join(f"CAST({name} AS VARCHAR) AS {name}" for name in names)
    write(path, f"SELECT {select} FROM cells", table, {})
    return len(rows)
