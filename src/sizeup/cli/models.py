"""sizeup models: which models of the catalogue suit a machine and a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sizeup.errors import UserError

from .settings import Count, Model, find_machine, machine_options
from .verb import Asked, Option, Verb

if TYPE_CHECKING:
    from sizeup.hardware import Machine


def models(
    asked: Asked,
    model: str | None,
    on: str | None,
    ram: int | None,
    limit: int,
    context: int,
    engine: str,
    slowest: float | None,
    **rest: Any,
) -> None:
    """Print the best models of the catalogue for a machine, or why one of them has its place."""
    for name, count in (("--limit", limit), ("--context", context)):
        if count < 1:
            raise UserError(f"{name} = {count} is below 1.", f"{name} 8192" if name == "--context" else f"{name} 10")
    if asked.why and model is None:
        raise UserError("--why of a ranking needs a model.", "--why Qwen/Qwen3-8B")
    machine = find_machine(on, ram)
    show(asked, machine, limit, engine, model, context_tokens=context, slowest_tokens_per_s=slowest, **rest)


def show(asked: Asked, machine: Machine, limit: int = 10, engine: str = "llama.cpp", model: str | None = None, **wishes: Any) -> None:
    """The ranking as a table or as JSON; one model with everything behind its place."""
    from sizeup.api import machine_json
    from sizeup.api.ranking import choice_json, ranking_json, results_json
    from sizeup.recommend import one, ranking
    from sizeup.render import ranking as pages
    from sizeup.wishes import Wishes

    wanted = Wishes(**wishes)
    if model is not None:
        choice = one(model, machine, wanted)
        if asked.json:
            asked.say_json({"machine": machine_json(machine), **choice_json(choice), "results": results_json(choice.model)})
        else:
            asked.say(pages.why(asked.page, choice, wanted.task))
        return
    found = ranking(machine, wanted, limit, engine)
    if asked.json:
        asked.say_json({"machine": machine_json(machine), **ranking_json(found)})
    else:
        asked.say(pages.models(asked.page, found))


command = Verb(
    "models",
    models,
    [
        click.Argument(["model"], metavar="[MODEL]", type=Model(), required=False),
        *machine_options(),
        Option(["--for", "task"], metavar="TASK", default="chat"),
        Option(["--limit"], type=Count(), default=10, metavar="N"),
        Option(["--context"], type=Count(), default=8192, metavar="TOKENS"),
        Option(["--slowest"], type=float, metavar="TOK/S"),
        Option(["--quant"], metavar="MIX"),
        Option(["--license"], metavar="permissive|NAME"),
        Option(["--language"], metavar="CODE"),
        Option(["--modality"], metavar="vision|audio"),
        Option(["--newer-than"], metavar="DATE"),
        Option(["--engine"], default="llama.cpp", metavar="NAME"),
    ],
)
