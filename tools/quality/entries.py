"""Rows of benchmarks joined to the catalogue: which model each speaks of, its size, date, maker and family."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

from sizeup.facts import data_json
from sizeup.readers import catalogue
from sizeup.readers.catalogue_data import index
from sizeup.traits import Traits, maker, of_row, thinks, years

from .rows import scores
from .traits import traits_of


class Entry(NamedTuple):
    """A model that rows speak of."""

    name: str
    catalogue: str
    """Its id in the catalogue; "" when it is not there."""
    maker: str
    family: str
    total: float
    active: float
    """0 when the size is not known."""
    years: float
    coder: bool
    thinker: bool


class Row(NamedTuple):
    """One score."""

    entry: int
    benchmark: str
    task: str
    logit: float
    own: bool
    """Reported by the model's own maker."""


def rows_and_entries() -> tuple[list[Row], list[Entry]]:
    """All shipped rows whose model has a date, and the models."""
    tasks, same = _tasks(), data_json("quality/tasks.json")["same"]
    entries: dict[str, Entry] = {}
    rows: list[Row] = []
    numbers: dict[str, int] = {}
    for row in scores():
        if row["scale"] != "0-100":
            continue
        entry = _entry(row)
        if entry is None:
            continue
        key = entry.catalogue or entry.name
        if key not in numbers:
            numbers[key] = len(numbers)
            entries[key] = entry
        benchmark = same.get(row["benchmark"], row["benchmark"])
        share = min(max(float(row["score"]), 1.0), 99.0) / 100
        rows.append(Row(numbers[key], benchmark, tasks[benchmark], math.log(share / (1 - share)), row["self_reported"] == "yes"))
    return rows, list(entries.values())


def _tasks() -> dict[str, str]:
    table = data_json("quality/tasks.json")
    found = {name: task for task, about in table["tasks"].items() for name in about["benchmarks"]}
    return found | dict.fromkeys(["MMMLU", *table["general"]], "general")


@functools.cache
def known(id: str) -> Traits:
    """The traits of a catalogue model."""
    spec = catalogue.spec(index().numbers[id])
    return of_row(traits_of(spec), spec.parameters, spec.active_parameters)


def _entry(row: dict[str, str]) -> Entry | None:
    id = row["catalogue"]
    if id:
        it = known(id)
        dates = [date for date in (it.years, years(row["release_date"]) if row["release_date"] else None) if date is not None]
        return Entry(row["model"], id, it.maker, it.family, it.parameters, it.active, min(dates), it.coder, it.thinker) if dates else None
    released = row["release_date"] or row["date"]
    size = float(row["params_B"]) * 1e9 if row["params_B"] and row["open_weights"] == "yes" else 0.0
    family = "Nemotron" if "nemotron" in row["model"].lower() else ""
    # A maker's closed models are of unknown size: what they are worth says nothing of its open ones.
    organization = maker(row["hf_id"]) if "/" in row["hf_id"] else f"{row['organization']}, closed" if row["organization"] else ""
    return Entry(
        row["model"],
        "",
        organization,
        family,
        size,
        size,
        years(released),
        "coder" in row["model"].lower(),
        thinks(row["model"], family, released),
    )
