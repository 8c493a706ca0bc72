"""Traits of catalogue models by the rules that need the whole catalogue: dates of siblings, base models, and what a model was made of."""

from __future__ import annotations

import functools
import statistics
from typing import Any

from sizeup.model import ModelSpec
from sizeup.readers.catalogue_data import index, rows
from sizeup.traits import maker, named, released, table


def traits_of(model: ModelSpec) -> dict[str, Any]:
    """What the shipped table says of a catalogue model."""
    row = model.card
    date, dated_by = _date(row)
    origin = _origin(row)
    return {
        "id": row["id"],
        "maker": maker(row["id"]),
        "family": row["family"],
        "date": date,
        "dated_by": dated_by,
        "made_of": origin["id"] if origin else "",
        "coder": named(row["id"], "coder_words"),
        "base": is_base(row["id"]),
    }


def _date(row: dict[str, Any]) -> tuple[str, str]:
    """As the row says, else the median of its family; never before what it was made of, never later when tuned by others."""
    date, by = released(row)
    if not date:
        middle = _family_dates().get(row["family"])
        date, by = (middle, "family") if middle else ("", "")
    return date, by


@functools.cache
def _family_dates() -> dict[str, str]:
    dates: dict[str, list[str]] = {}
    for row in rows():
        date, _ = released(row)
        if date:
            dates.setdefault(row["family"], []).append(date)
    return {family: statistics.median_low(sorted(each)) for family, each in dates.items()}


@functools.cache
def _by_parameters() -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows():
        found.setdefault(row["params_total"], []).append(row)
    return found


def _origin(row: dict[str, Any]) -> dict[str, Any] | None:
    """The earliest model by another maker with exactly as many weights in as many layers: what this one was tuned from."""
    mine = _date(row)[0] or "9999"
    others = [
        other
        for other in _by_parameters()[row["params_total"]]
        if maker(other["id"]) != maker(row["id"])
        and other.get("num_hidden_layers") == row.get("num_hidden_layers")
        and (_date(other)[0] or "9999") < mine
        and maker(other["id"]) in table()["foundations"]
    ]
    return min(others, key=lambda other: _date(other)[0] or "9999") if others and maker(row["id"]) not in table()["foundations"] else None


def is_base(id: str) -> bool:
    """Whether a model is one before it was trained to answer, by its name and its siblings'."""
    if named(id, "base_words"):
        return True
    if named(id, "instruct_words"):
        return False
    endings = [ending for word in table()["instruct_words"] for ending in (word, word.capitalize(), f"{word.capitalize()}-hf")]
    stem = id.removesuffix("-hf")
    return any(
        f"{stem}-{ending}" in index().numbers or other.startswith(f"{stem}-{ending}-") for ending in endings for other in _owners(id)
    )


@functools.cache
def _of_owner(owner: str) -> tuple[str, ...]:
    return tuple(id for id in index().ids if id.startswith(owner + "/"))


def _owners(id: str) -> tuple[str, ...]:
    return _of_owner(id.partition("/")[0])
