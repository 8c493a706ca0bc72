"""sizeup fleet up MODEL|PLAN.json --ray ADDRESS: models served by Ray Serve on somebody's cluster."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from sizeup.operations import shared
from sizeup.operations.kinds import COUNT, NUMBER, WHOLE

from ..settings import of, option, options, read_model, settings
from ..verb import Asked, Option, Verb

if TYPE_CHECKING:
    from sizeup.fleet.saved_plan import Part
    from sizeup.fleet.serve_llm import Handed
    from sizeup.fleet.serve_plan import Application
    from sizeup.fleet.serve_together import Wish
    from sizeup.fleet.serve_told import Served

PLANNED = ("replicas", "name", "cores", "cards", "to", "quant", "context")
"""What a plan says itself."""
ONE = "1"
"""How many replicas there are unless it is said."""


class Started(NamedTuple):
    """What runs, and what was asked for."""

    one: Served
    asked: Application | Handed


def up(asked: Asked, model: str, **chosen: Any) -> None:
    """Start a GGUF file on processors, a checkpoint on cards, or all of a plan; with --to write down what `serve deploy` takes."""
    from sizeup.api.fleet import started_json
    from sizeup.fleet import saved_plan

    if saved_plan.is_plan(model):
        start_plan(asked, model, chosen)
        return
    wish = wished(asked, {"model": model, **chosen})
    if chosen["to"] is not None:
        write(asked, wish, chosen)
        return
    found = start(asked, [wish], chosen)
    warnings = open_to_all(found, chosen["host"])
    asked.say_json(started_json(found[0].one, found[0].asked, warnings)) if asked.json else say(asked, found, warnings)


def wished(asked: Asked, chosen: dict[str, Any]) -> Wish:
    """What is asked for, with the options of one `sizeup fleet up`."""
    from sizeup.fleet import serve_plan
    from sizeup.fleet.serve_together import Wish, on_processors

    spec = read_model(asked, chosen["model"], chosen["assume"])
    engine = "llama.cpp" if on_processors(spec) else "vllm"
    plan = {"quant": chosen["quant"], "context_tokens": chosen["context"], **settings({**chosen, "engine": engine})}
    return Wish(spec, serve_plan.replicas(chosen["replicas"]), chosen["name"], plan, chosen["cores"], chosen["cards"] or "")


def start_plan(asked: Asked, file: str, chosen: dict[str, Any]) -> None:
    """Everything of a plan that Ray Serve runs, each part under a name of its own; the rest is told."""
    from sizeup.api.fleet import started_json
    from sizeup.errors import Unavailable, UserError
    from sizeup.fleet import saved_plan
    from sizeup.fleet.serve_plan import slug

    if said := [name for name in PLANNED if chosen[name] not in (None, ONE)]:
        raise UserError(f"--{said[0]} is said for one model, and {file} is a plan.", "sizeup fleet plan with it")
    parts = saved_plan.load(file)
    others = [f"{part.engine} is not started through Ray here: {part.model}." for part in parts if not part.words]
    wishes, names = [], list[str]()
    for part in parts:
        if part.words:
            wish = wished(asked, typed(file, part))
            names.append(slug(wish.model.name))
            # The same model on two kinds of nodes, or with two loads, has a name for each.
            number = names.count(names[-1])
            wishes.append(wish if number == 1 else wish._replace(name=f"{wish.model.name}-part-{number}"))
    if not wishes:
        raise Unavailable(
            f"Nothing of the plan in {file} is started through Ray here.", "sizeup fleet plan … --emit deployment --to FOLDER"
        )
    found = start(asked, wishes, chosen)
    warnings = [*others, *open_to_all(found, chosen["host"])]
    if asked.json:
        asked.say_json({"started": [started_json(*one, ()) for one in found], "warnings": warnings})
    else:
        say(asked, found, warnings)


def typed(file: str, part: Part) -> dict[str, Any]:
    """A part's command as it would have been typed. Raises Unreadable where it is none."""
    from sizeup.errors import SizeupError
    from sizeup.fleet import saved_plan

    try:
        return command.make_context("up", list(part.words)).params
    except (click.ClickException, click.exceptions.Exit, SizeupError):
        raise saved_plan.foreign(file) from None


def start(asked: Asked, wishes: Sequence[Wish], chosen: dict[str, Any]) -> list[Started]:
    """Start them all, telling a person meanwhile what becomes of them."""
    from sizeup.fleet import serve_up
    from sizeup.fleet.ray_connect import connected
    from sizeup.fleet.ray_scan import look
    from sizeup.fleet.serve_together import lies_at, seated

    def tell(found: Sequence[Served]) -> None:
        told = t("list.comma").join(t("fleet.becoming", name=one.name, state=one.state) for one in found)
        if told not in said:
            said.append(told)
            print(told, file=sys.stderr, flush=True)

    t, said, ray = asked.page.texts, list[str](), chosen["ray"]
    watched = sys.stderr.isatty() and not asked.json
    if watched:
        print(t("fleet.starting", model=t("list.comma").join(wish.model.name for wish in wishes)), file=sys.stderr, flush=True)
    with connected(ray) as library:
        found, files = look(library, ray, chosen["timeout"], [path for wish in wishes if (path := lies_at(wish.model))])
        seats = seated(wishes, found, files, chosen["drain"], chosen["wait"])
        running = serve_up.up(ray, [seat.launch for seat in seats], chosen["host"], chosen["port"], *([tell] if watched else []))
    return [Started(one, seat.asked) for one, seat in zip(running, seats, strict=True)]


def say(asked: Asked, found: Sequence[Started], warnings: Sequence[str]) -> None:
    """Where they answer, what a replica takes and who could not run one."""
    from sizeup.fleet.serve_llm import Handed
    from sizeup.render.fleet_up import started_on_cards, started_on_processors, warned

    for one, wanted in found:
        draw = started_on_cards(asked.page, one, wanted) if isinstance(wanted, Handed) else started_on_processors(asked.page, one, wanted)
        asked.say(draw)
    if warnings:
        asked.say(warned(asked.page, warnings))


def open_to_all(found: Sequence[Started], host: str) -> list[str]:
    """A warning where others than the head node's own users may ask."""
    from sizeup.fleet.serve_up import LOOPBACK, OPEN

    return [] if host == LOOPBACK else [OPEN.format(address=found[0].one.address)]


def write(asked: Asked, wish: Wish, chosen: dict[str, Any]) -> None:
    """Write the configuration of Ray Serve LLM, and tell what to type; nothing is started."""
    import json

    from sizeup.errors import UserError
    from sizeup.fleet import serve_llm, serve_up
    from sizeup.fleet.ray_scan import scan
    from sizeup.fleet.serve_together import on_processors
    from sizeup.render.fleet_up import handed

    if on_processors(wish.model):
        raise UserError("--to is for a checkpoint on cards: Ray starts a GGUF file with the replicas of sizeup.", "the same without --to")
    found = serve_llm.hand(
        wish.model,
        scan(chosen["ray"], chosen["timeout"]),
        replicas=wish.replicas,
        cards=wish.cards,
        name=wish.name,
        host=chosen["host"],
        port=chosen["port"] or serve_up.PORT,
        drain_s=chosen["drain"],
        **wish.plan,
    )
    try:
        with open(chosen["to"], "x", encoding="utf-8") as file:
            file.write(json.dumps(found.config, ensure_ascii=False, indent=1) + "\n")
    except OSError as error:
        raise UserError(f"{chosen['to']} cannot be written: {error.strerror}.", "--to with a path you may write to") from None
    if asked.json:
        asked.say_json({"started": False, "config": found.config, "file": chosen["to"], "warnings": list(found.warnings)})
    else:
        asked.say(handed(asked.page, found, chosen["to"]))


command = Verb(
    "fleet up",
    up,
    [
        option(replace(shared.MODEL_ARGUMENT, shown="MODEL|PLAN.json")),
        Option(["--ray"], "fleet_ray", default="auto", metavar="HOST:PORT|auto"),
        Option(["--engine"], "fleet_engine", type=click.Choice(["ray"]), default="ray", metavar="ray"),
        Option(["--replicas"], "fleet_replicas", default=ONE, metavar="N|N-M"),
        Option(["--cores"], "fleet_cores", type=of(COUNT), metavar="N"),
        Option(["--cards"], "fleet_cards", metavar="H100|L40S|…"),
        Option(["--to"], "fleet_to", metavar="FILE"),
        Option(["--name"], "fleet_name", metavar="NAME"),
        Option(["--host"], "fleet_host", default="127.0.0.1", metavar="ADDRESS"),
        Option(["--port"], "fleet_port", type=of(WHOLE), metavar="PORT"),
        Option(["--drain"], "fleet_drain", type=of(NUMBER), default=600.0, metavar="SECONDS"),
        Option(["--timeout"], "fleet_timeout", type=of(NUMBER), default=60.0, metavar="SECONDS"),
        Option(["--wait"], "fleet_start_wait", type=of(NUMBER), metavar="SECONDS"),
        *options((shared.QUANT, shared.CONTEXT, *shared.SETTINGS, shared.ASSUME)),
    ],
)
