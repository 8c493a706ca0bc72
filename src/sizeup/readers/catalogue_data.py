"""The shipped catalogue as data: rows of facts and configs by hub id. One model costs one small read; nothing else is parsed.

How the two files are made: tools/build_catalogue.py. Finding a model by a person's words is readers/catalogue.py's work.
"""

from __future__ import annotations

import functools
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sizeup.errors import NotFound
from sizeup.facts import data_bytes, data_json


@dataclass(frozen=True)
class Index:
    """Where every record lies, and the names that lead to it. Numbers are places in `ids`."""

    ids: tuple[str, ...]
    """Hub ids in catalogue order."""
    numbers: dict[str, int]
    """Hub id -> number."""
    ollama: dict[str, int]
    """Ollama tag (`gemma2:2b`) -> number of the model it holds."""
    gguf: dict[str, int]
    """Hub id of a GGUF repository -> number of the model it holds."""
    date: str
    spans: tuple[tuple[int, int], ...]
    dictionary: bytes


@functools.cache
def index() -> Index:
    """The catalogue's table of contents, read once."""
    table = data_json("catalogue/index.json")
    ids = tuple(entry[0] for entry in table["entries"])
    return Index(
        ids,
        {id: number for number, id in enumerate(ids)},
        table["ollama"],
        table["gguf"],
        table["date"],
        tuple((entry[1], entry[2]) for entry in table["entries"]),
        data_bytes("catalogue/entries.bin")[: table["dictionary_bytes"]],
    )


@functools.lru_cache(maxsize=8)
def record(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """(row, config) of the model with this number. Shared between callers: not to be changed."""
    start, length = index().spans[number]
    unpack = zlib.decompressobj(-15, index().dictionary)
    row, config = json.loads(unpack.decompress(data_bytes("catalogue/entries.bin")[start : start + length]))
    return row, config


def number(id: str) -> int:
    """Place of a hub id in the catalogue; raises NotFound."""
    try:
        return index().numbers[id]
    except KeyError:
        raise NotFound(f"The catalogue has no model “{id}”.", "sizeup models --help") from None


def row(id: str) -> dict[str, Any]:
    """The facts of one model: published total, licence, dates, Ollama tags, GGUF repositories, sources."""
    return record(number(id))[0]


def config(id: str) -> dict[str, Any]:
    """The Hugging Face config.json (or the fields of it that any source states) of one model."""
    return record(number(id))[1]


def rows() -> Iterator[dict[str, Any]]:
    """All rows in catalogue order."""
    return (record(n)[0] for n in range(len(index().ids)))
