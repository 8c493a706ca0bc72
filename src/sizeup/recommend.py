"""Which models suit a machine: a simple, honest ranking by size that takes part, age and speed. It is a prior, not a score.

Measured quality comes later; until then the rule is in data/ranking.json, labelled assumed, and shown with the list.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from typing import Any

from .errors import SizeupError
from .facts import data_json
from .hardware import Machine
from .plan import Plan
from .quant import quant as quant_of
from .readers import catalogue_data
from .search import fit, resolve_machine


def models(
    machine: Machine | str | None = None,
    *,
    limit: int = 10,
    context_tokens: int = 8192,
    engine: str = "llama.cpp",
    quant: str | None = None,
    slowest_tokens_per_s: float | None = None,
) -> list[Plan]:
    """The best catalogue models for `machine`, best first, one per family and size, each as its recommended plan.

    Left out: encoders, models without an engine, those that do not fit or that decode slower than
    `slowest_tokens_per_s` (where the speed is known). Sizes are the engine's own accounting, never a guess from names.
    """
    box = resolve_machine(machine)
    floor = data_json("ranking.json")["slowest_tokens_per_s"] if slowest_tokens_per_s is None else slowest_tokens_per_s
    room = sum(pool.free_bytes for pool in box.pools if pool.name != "disk")
    found: list[Plan] = []
    seen: set[tuple[str, int]] = set()
    for row in ranked():
        key = (row["family"], round(math.log2(row["params_total"]) * 4))
        if key in seen or least_bytes(row["params_total"]) > room:
            continue
        try:
            plan = fit(
                row["id"],
                box,
                engine=engine,
                quant=quant,
                context_tokens=min(context_tokens, row.get("max_position_embeddings") or context_tokens),
            )[0]
        except SizeupError:
            continue  # the engine does not know this architecture, or refuses it
        decode = plan.speed.decode
        if not plan.fits or (decode is not None and decode.tokens_per_s < floor):
            continue
        seen.add(key)
        found.append(plan)
        if len(found) == limit:
            break
    return found


def ranked() -> Iterator[dict[str, Any]]:
    """Catalogue rows that generate text, best first by the stated prior."""
    skip = data_json("ranking.json")["skip_names"]
    usable = (
        row
        for row in catalogue_data.rows()
        if row["modality"] != "text-encoder" and row.get("params_active") and not any(word in row["id"].lower() for word in skip)
    )
    return iter(sorted(usable, key=prior, reverse=True))


def prior(row: dict[str, Any]) -> tuple[float, int]:
    """log2 of the geometric mean of total and active parameters, less one per `halving_years` of age; then downloads."""
    rule = data_json("ranking.json")
    released = row.get("release_date") or row.get("hf_created")
    age = (day(rule["date"]) - day(released)).days / 365.25 if released else rule["default_age_years"]
    size = (math.log2(row["params_total"]) + math.log2(row["params_active"])) / 2
    return size - age / rule["halving_years"], row.get("hf_downloads") or 0


def day(text: str) -> datetime.date:
    """A date of which only the year or the month may be known: the first day of it."""
    return datetime.date.fromisoformat((text + "-01-01")[:10])


def least_bytes(parameters: int) -> int:
    """No recommended mix stores this many weights in less: every one as IQ2_XXS. Used to skip what cannot fit."""
    smallest = quant_of("IQ2_XXS")
    return parameters * smallest.block_bytes // smallest.block
