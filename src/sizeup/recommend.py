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
from .readers.catalogue import find
from .search import candidates, fit, resolve_machine


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
    rule = data_json("ranking.json")
    floor = rule["slowest_tokens_per_s"] if slowest_tokens_per_s is None else slowest_tokens_per_s
    found: list[Plan] = []
    seen: set[tuple[str, int]] = set()
    for row in ranked():
        key = (row["family"], round(math.log2(row["params_total"]) * 4))
        if key in seen or hopeless(row, box, floor):
            continue
        context = min(context_tokens, row.get("max_position_embeddings") or context_tokens)
        try:
            spec = find(row["id"])
            # The first candidate is the model's own four-bit format, or the mix that most files carry.
            plan = fit(spec, box, engine=engine, quant=quant or candidates(spec, None)[0], context_tokens=context)[0]
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


def hopeless(row: dict[str, Any], machine: Machine, floor: float) -> bool:
    """Whether a model cannot fit or keep the pace, whatever its mix and placement: its least bytes against all room and all bandwidth."""
    pools = [pool for pool in machine.pools if pool.name != "disk"]
    if least_bytes(row["params_total"]) > sum(pool.free_bytes for pool in pools):
        return True
    rates = [pool.bytes_per_s for pool in pools]
    return all(rates) and least_bytes(row["params_active"]) * floor > max(rate for rate in rates if rate)


def ranked() -> Iterator[dict[str, Any]]:
    """Catalogue rows that generate text, best first by the stated prior."""
    skip, fewest = data_json("ranking.json")["skip_names"], data_json("ranking.json")["fewest_downloads"]
    usable = (
        row
        for row in catalogue_data.rows()
        if row["modality"] != "text-encoder"
        and row.get("params_active")
        and (row.get("hf_downloads") or 0) >= fewest
        and not any(word in row["id"].lower() for word in skip)
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
    """No four-bit file stores this many weights in less: every one as Q4_K. Used to skip what cannot do."""
    smallest = quant_of("Q4_K")
    return parameters * smallest.block_bytes // smallest.block
