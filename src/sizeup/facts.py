"""Facts: rows of data with a source and a date. Code holds relations between facts, never the facts."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["given", "measured", "read", "published", "derived", "assumed"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value is from: `kind` says how we know it, `where` names the file, page or run, `date` is ISO or ""."""

    kind: Kind
    where: str = ""
    date: str = ""


DATA = Path(__file__).parent / "data"
"""A plain folder: importlib.resources would cost more at start than reading the file."""

ASSUMED = Source("assumed", "no source: a stated guess")
GIVEN = Source("given", "the user")


@functools.cache
def data_bytes(name: str) -> bytes:
    """The raw content of a file shipped under sizeup/data."""
    return (DATA / name).read_bytes()


@functools.cache
def data_json(name: str) -> Any:
    """A JSON file shipped under sizeup/data, parsed once."""
    return json.loads(data_bytes(name))
