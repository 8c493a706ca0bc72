"""sizeup models: which models of the catalogue suit a machine."""

from __future__ import annotations

from typing import Any

from .settings import Count
from .verb import Asked, Option, Verb


def models(asked: Asked, on: str | None, limit: int, context: int | None, quant: str | None, engine: str) -> None:
    """Print the best models of the catalogue for a machine, by the stated prior."""
    show(asked, on, limit, context or 8192, quant, engine)


def show(asked: Asked, on: Any = None, limit: int = 10, context: int = 8192, quant: str | None = None, engine: str = "llama.cpp") -> None:
    """The ranking as a table or as JSON."""
    from sizeup import recommend, render
    from sizeup.api import machine_json, plan_json
    from sizeup.facts import data_json
    from sizeup.search import resolve_machine

    machine = resolve_machine(on)
    plans = recommend.models(machine, limit=limit, context_tokens=context, quant=quant, engine=engine)
    if asked.json:
        asked.say_json({"machine": machine_json(machine), "models": [plan_json(plan) for plan in plans]})
        return
    pace = data_json("ranking.json")["slowest_tokens_per_s"]
    asked.say(render.models(asked.page, machine, plans, asked.page.texts("models.rule", pace=f"{pace:g}")))


command = Verb(
    "models",
    models,
    [
        Option(["--on"], metavar="MACHINE"),
        Option(["--limit"], type=Count(), default=10, metavar="N"),
        Option(["--context"], type=Count(), metavar="TOKENS"),
        Option(["--quant"], metavar="MIX"),
        Option(["--engine"], default="llama.cpp", metavar="NAME"),
    ],
)
