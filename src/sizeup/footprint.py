"""What models of pictures and speech take beside a language model: described from published figures, not read from files."""

from __future__ import annotations

import functools
from typing import NamedTuple

from .facts import Source, data_json

WIDTH = 2
"""Bytes of a weight where only parameters are published: they are mostly run at 16 bits."""


class Footprint(NamedTuple):
    """One model that is only described."""

    name: str
    kind: str
    """"picture" or "speech"."""
    bytes: int
    """What its program takes where that is published, else its weights at 16 bits without working space."""
    whole: bool
    """Whether working space is counted."""
    source: Source


def footprint(name: str) -> Footprint | None:
    """The described model of this name; None when there is none."""
    return _named().get(name.strip().lower())


@functools.cache
def _named() -> dict[str, Footprint]:
    facts = data_json("footprints.json")
    found: dict[str, Footprint] = {}
    for row in facts["rows"]:
        size = row.get("memory_bytes") or WIDTH * sum(row["parameters"].values())
        one = Footprint(row["name"], row["kind"], size, "memory_bytes" in row, Source("published", row["source"], facts["date"]))
        found |= dict.fromkeys((row["name"], *row.get("aliases", ())), one)
    return found
