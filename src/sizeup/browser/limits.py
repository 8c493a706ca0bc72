"""What browsers and their engines allow: facts of data/browser/limits.json by name."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from ..errors import UserError, close_names
from ..facts import Source, data_json

FILE = "browser/limits.json"


@dataclass(frozen=True, slots=True)
class Engine:
    """A program that runs models inside a page."""

    id: str
    name: str
    version: str
    package: str
    aliases: tuple[str, ...]
    engine_bytes: int
    """What the engine itself downloads before any weight."""
    compat_bytes: int | None
    """The same where memory64 or JSPI is missing, for engines that bring a second build."""


def fact(name: str) -> dict[str, Any]:
    """The whole row of a fact; raises KeyError for an unknown name."""
    row: dict[str, Any] = data_json(FILE)["facts"][name]
    return row


def value(name: str) -> Any:
    """The value of a fact that is one number."""
    return fact(name)["value"]


def source(name: str) -> Source:
    """Where a fact is from."""
    row = fact(name)
    return Source(row["kind"], row["source"], row["date"])


@functools.cache
def engines() -> dict[str, Engine]:
    """Every engine by its id, in the order people are shown."""
    return {
        row["id"]: Engine(
            row["id"],
            row["name"],
            row["version"],
            row["package"],
            tuple(row["aliases"]),
            row["engine_bytes"],
            row.get("compat_bytes"),
        )
        for row in data_json(FILE)["engines"]
    }


def engine(name: str) -> Engine:
    """The engine of this id, name or alias; raises UserError with the names that exist."""
    known = {word.lower(): one for one in engines().values() for word in (one.id, one.name, *one.aliases)}
    found = known.get(name.lower())
    if found is None:
        near = close_names(name.lower(), known, 2)
        raise UserError(f"No browser engine is called “{name}”.", ", ".join(near) or ", ".join(engines()))
    return found
