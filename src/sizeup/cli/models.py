"""sizeup models: which models of the catalogue suit a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sizeup.errors import UserError

from .settings import Count, find_machine, machine_options
from .verb import Asked, Option, Verb

if TYPE_CHECKING:
    from sizeup.hardware import Machine


def models(asked: Asked, on: str | None, ram: int | None, limit: int, context: int, quant: str | None, engine: str) -> None:
    """Print the best models of the catalogue for a machine, by the stated prior."""
    for name, count in (("--limit", limit), ("--context", context)):
        if count < 1:
            raise UserError(f"{name} = {count} is below 1.", f"{name} 8192" if name == "--context" else f"{name} 10")
    show(asked, find_machine(on, ram), limit, context, quant, engine)


def show(asked: Asked, machine: Machine, limit: int = 10, context: int = 8192, quant: str | None = None, engine: str = "llama.cpp") -> None:
    """The ranking as a table or as JSON."""
    from sizeup import recommend, render
    from sizeup.api import machine_json, plan_json
    from sizeup.facts import data_json

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
        *machine_options(),
        Option(["--limit"], type=Count(), default=10, metavar="N"),
        Option(["--context"], type=Count(), default=8192, metavar="TOKENS"),
        Option(["--quant"], metavar="MIX"),
        Option(["--engine"], default="llama.cpp", metavar="NAME"),
    ],
)
