"""What quality is estimated from when nobody measured a model: its maker, family, size and age, and whether it was made to answer."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from .facts import DATA, data_json
from .model import ModelSpec

EPOCH = datetime.date(2025, 1, 1)
"""Ages are counted in years from here, so that a trend in time has its zero among the rows it was fitted to."""

STAMP = re.compile(r"(?:^|[-_v])(2[3-9])(0[1-9]|1[0-2])(?=$|[-_])")
"""The year and month that many makers put into a name: Mistral-Small-3.2-24B-Instruct-2506."""


class Traits(NamedTuple):
    """A model as quality sees it."""

    maker: str
    family: str
    parameters: int
    active: int
    years: float | None
    """From the first of January 2025, negative before, of what it was made of; None when nobody says when that came out."""
    date: str
    """ISO, maybe only year and month; "" when unknown."""
    dated_by: str
    """"vendor", "name", "repository" or "family": where the date is from; "" when unknown."""
    coder: bool
    base: bool
    """Not trained to answer: continues texts."""
    thinker: bool
    """Thinks before it answers."""


def traits(model: ModelSpec) -> Traits:
    """Of a model that was read: as the shipped table says of catalogue models, else what the name says; the rest is unknown."""
    id = str(model.card.get("id") or model.name)
    row = ranked_models().get(id)
    if row is not None:
        return of_row(row, model.parameters, model.active_parameters)
    date, dated_by = released({"id": id})
    when = years(date) if date else None
    words = named(id, "coder_words"), named(id, "base_words"), thinks(id, "", date)
    return Traits(maker(id), "", model.parameters, model.active_parameters, when, date, dated_by, *words)


def of_row(row: Mapping[str, Any], parameters: int, active: int) -> Traits:
    """Of a row of data/ranking/models.json."""
    since = ranked_models().get(row["made_of"], row)["date"] or row["date"]
    when = years(since) if since else None
    thinker = thinks(row["id"], row["family"], since)
    return Traits(row["maker"], row["family"], parameters, active, when, row["date"], row["dated_by"], row["coder"], row["base"], thinker)


def thinks(id: str, family: str, date: str) -> bool:
    """Whether a model thinks before it answers, by its name, its family or its age."""
    if named(id, "thinker_words"):
        return True
    return not named(id, "instruct_words") and (family in table()["thinker_families"] or date >= table()["thinkers_from"])


@functools.cache
def ranked_models() -> dict[str, dict[str, Any]]:
    """Rows of the shipped table by id; empty before it is built."""
    if not (DATA / "ranking/models.json").exists():
        return {}
    return {row["id"]: row for row in data_json("ranking/models.json")["models"]}


def maker(id: str) -> str:
    """Who made the model of this hub id."""
    owner, slash, _ = id.partition("/")
    if not slash:
        return ""
    return str(table()["owners"].get(owner.lower(), owner.lower()))


def released(row: Mapping[str, Any]) -> tuple[str, str]:
    """When a model came out, and who says so: the earliest of its vendor's date, the name and the repository; "" when none says.

    The earliest, since a repository may be made again long after.
    """
    stamp = STAMP.search(str(row.get("id", "")).rpartition("/")[2])
    found = [
        (str(row.get("release_date") or ""), "vendor"),
        (f"20{stamp[1]}-{stamp[2]}" if stamp else "", "name"),
        (str(row.get("hf_created") or "")[:10], "repository"),
    ]
    known = [(date, by) for date, by in found if date]
    return min(known) if known else ("", "")


def years(date: str) -> float:
    """Years from the first of January 2025 to a date of which the day or the month may be missing."""
    return (datetime.date.fromisoformat((date + "-01-01")[:10]) - EPOCH).days / 365.25


def named(id: str, words: str) -> bool:
    """Whether a hub id's own name holds one of the words of a list in data/quality/makers.json."""
    pieces = set(re.split(r"[-_.0-9/]+", id.rpartition("/")[2].lower()))
    return not pieces.isdisjoint(table()[words])


def table() -> dict[str, Any]:
    """data/quality/makers.json."""
    found: dict[str, Any] = data_json("quality/makers.json")
    return found
