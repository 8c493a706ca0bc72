"""sizeup fleet up MODEL --ray ADDRESS: a model served by Ray Serve on somebody's cluster."""

from __future__ import annotations

import sys
from typing import Any

import click

from sizeup.model import ModelSpec
from sizeup.operations import shared
from sizeup.operations.kinds import COUNT, NUMBER, WHOLE

from ..settings import model_argument, of, options, read_model, settings
from ..verb import Asked, Option, Verb


def up(asked: Asked, model: str, ray: str, engine: str, replicas: str, timeout: float, **chosen: Any) -> None:
    """Start a GGUF file on processors; of a checkpoint for cards, write down what `serve deploy` takes."""
    from sizeup.fleet import serve_plan

    spec = read_model(asked, model, chosen["assume"])
    scale = serve_plan.replicas(replicas)
    if spec.stored == "gguf":
        start(asked, spec, ray, scale, timeout, chosen)
    else:
        hand_over(asked, spec, ray, scale, timeout, chosen)


def start(asked: Asked, spec: ModelSpec, ray: str, scale: tuple[int, int], timeout: float, chosen: dict[str, Any]) -> None:
    """Start it, and tell where it answers, what a replica takes and who could not run one."""
    import os

    from sizeup.api.fleet import started_json
    from sizeup.fleet import serve_plan, serve_up
    from sizeup.fleet.ray_connect import connected
    from sizeup.fleet.ray_scan import look
    from sizeup.render.fleet import started

    if sys.stderr.isatty() and not asked.json:
        print(asked.page.texts("fleet.starting", model=spec.name), file=sys.stderr, flush=True)
    with connected(ray) as library:
        found, files = look(library, ray, timeout, os.path.abspath(spec.path) if spec.path else "")
        application = serve_plan.application(
            spec,
            found,
            files,
            replicas=scale,
            cores=chosen["cores"],
            name=chosen["name"],
            drain_s=chosen["drain"],
            **wanted(chosen, "llama.cpp"),
        )
        running = serve_up.up(ray, application, chosen["host"], chosen["port"])
    warnings = [] if chosen["host"] == serve_up.LOOPBACK else [serve_up.OPEN.format(address=running.address)]
    if asked.json:
        asked.say_json(started_json(running, application, warnings))
    else:
        asked.say(started(asked.page, running, application, warnings))


def hand_over(asked: Asked, spec: ModelSpec, ray: str, scale: tuple[int, int], timeout: float, chosen: dict[str, Any]) -> None:
    """Write the configuration of Ray Serve LLM, and tell what to type; nothing is started."""
    import json

    from sizeup.errors import UserError
    from sizeup.fleet import serve_llm, serve_up
    from sizeup.fleet.ray_scan import scan
    from sizeup.render.fleet import handed

    found = serve_llm.hand(
        spec,
        scan(ray, timeout),
        replicas=scale,
        cards=chosen["cards"] or "",
        name=chosen["name"],
        host=chosen["host"],
        port=chosen["port"] or serve_up.PORT,
        **wanted(chosen, "vllm"),
    )
    if chosen["to"] is not None:
        try:
            with open(chosen["to"], "x", encoding="utf-8") as file:
                file.write(json.dumps(found.config, ensure_ascii=False, indent=1) + "\n")
        except OSError as error:
            raise UserError(f"{chosen['to']} cannot be written: {error.strerror}.", "--to with a path you may write to") from None
    if asked.json:
        asked.say_json({"started": False, "config": found.config, "file": chosen["to"], "warnings": list(found.warnings)})
    else:
        asked.say(handed(asked.page, found, chosen["to"]))


def wanted(chosen: dict[str, Any], engine: str) -> dict[str, Any]:
    """What was asked of the plan, by the names of `sizeup.fit`."""
    return {"quant": chosen["quant"], "context_tokens": chosen["context"], **settings({**chosen, "engine": engine})}


command = Verb(
    "fleet up",
    up,
    [
        model_argument(),
        Option(["--ray"], "fleet_ray", default="auto", metavar="HOST:PORT|auto"),
        Option(["--engine"], "fleet_engine", type=click.Choice(["ray"]), default="ray", metavar="ray"),
        Option(["--replicas"], "fleet_replicas", default="1", metavar="N|N-M"),
        Option(["--cores"], "fleet_cores", type=of(COUNT), metavar="N"),
        Option(["--cards"], "fleet_cards", metavar="H100|L40S|…"),
        Option(["--to"], "fleet_to", metavar="FILE"),
        Option(["--name"], "fleet_name", metavar="NAME"),
        Option(["--host"], "fleet_host", default="127.0.0.1", metavar="ADDRESS"),
        Option(["--port"], "fleet_port", type=of(WHOLE), metavar="PORT"),
        Option(["--drain"], "fleet_drain", type=of(NUMBER), default=600.0, metavar="SECONDS"),
        Option(["--timeout"], "fleet_timeout", type=of(NUMBER), default=60.0, metavar="SECONDS"),
        *options((shared.QUANT, shared.CONTEXT, *shared.SETTINGS, shared.ASSUME)),
    ],
)
