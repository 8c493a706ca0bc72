"""sizeup run FILE.gguf: run the real model, then print predicted beside measured; talk to it; or serve it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from sizeup.errors import EngineFailed, UserError
from sizeup.operations.kinds import COUNT, WHOLE

from .settings import model_argument, of, plan_options, read_model, settings
from .verb import Asked, Option, Verb, stream

if TYPE_CHECKING:
    from sizeup.plan import Plan

EXAMPLE = "The three states of matter are"
"""What a model goes on with when nobody asks it anything and no person is there to talk."""


def run(
    asked: Asked,
    model: str,
    prompt: str | None,
    max_tokens: int | None,
    temperature: float,
    seed: int,
    raw: bool,
    system: str | None,
    serve: bool,
    port: int | None,
    create: str | None,
    **chosen: Any,
) -> None:
    """Answer one prompt and tell what it took beside what was predicted; talk, where a person is there and asks nothing; or serve."""
    from sizeup import search
    from sizeup.drive.hand import ACCOUNTED_BY

    spec = read_model(asked, model, chosen["assume"])
    engine = ACCOUNTED_BY.get(chosen["engine"], chosen["engine"])
    plan = search.fit(spec, None, engine=engine, quant=chosen["quant"], context_tokens=chosen["context"], **settings(chosen))[0]
    if chosen["engine"] in ACCOUNTED_BY:
        if serve:
            raise UserError("--serve is the embedded engine's own server.", "sizeup run FILE.gguf --serve")
        driven(asked, plan, chosen["engine"], model, Asking(prompt or EXAMPLE, max_tokens or 128, temperature, seed), create)
    elif serve:
        serve_plan(asked, plan, port)
    elif prompt is None and not (asked.json or raw) and sys.stdin.isatty() and sys.stdout.isatty():
        from .conversation import converse

        converse(
            asked, plan, system or "", {"temperature": temperature, "seed": seed, **({"max_tokens": max_tokens} if max_tokens else {})}
        )
    else:
        once(asked, plan, prompt or EXAMPLE, max_tokens or 128, temperature, seed, raw)


class Asking(NamedTuple):
    """One prompt and how it is to be answered."""

    prompt: str
    max_tokens: int
    temperature: float
    seed: int


def driven(asked: Asked, plan: Plan, engine: str, model: str, asking: Asking, create: str | None) -> None:
    """The plan in another tool: its answer and what it took, or what to type where it is not here."""
    from sizeup import render, search, store
    from sizeup.drive.hand import Hand, Prompt
    from sizeup.drive.run import drive, measured
    from sizeup.engines.llamacpp.server import free_port

    pieces: list[str] = []

    def on_text(text: str) -> None:
        pieces.append(text)
        if not asked.json:
            stream(text)

    loading(asked, plan)
    found = drive(plan, engine, model, Prompt(*asking, on_text), create=create, free_port=lambda: free_port(0, False))
    if isinstance(found, Hand):
        from sizeup.render.drive import hand

        told = {"engine": found.tool, "ran": False, "commands": list(found.commands), "files": dict(found.files)}
        asked.say_json(told) if asked.json else asked.say(hand(asked.page, found))
        return
    measurement = measured(plan, found)
    number = store.keep(measurement, plan.breakdown.as_reported())
    if asked.json:
        from sizeup.api import measurement_json

        told = {**measurement_json(measurement, plan.breakdown.as_reported()), "text": "".join(pieces), "number": number}
        asked.say_json({**told, "ran": True, "timed_by": found.timed_by})
        return
    plan = search.with_speed(plan, found.prompt_tokens + asking.max_tokens // 2)
    asked.say("\n" + render.measurement(asked.page, plan, measurement))
    asked.say(f"  {asked.page.texts(f'drive.timed_{found.timed_by}')}\n  {asked.page.texts('run.stored', number=number)}\n")


def loading(asked: Asked, plan: Plan) -> None:
    """Say that the model is being loaded, while a person looks."""
    if not asked.json and sys.stderr.isatty():
        print(asked.page.texts("run.loading", model=plan.model.name), file=sys.stderr, flush=True)


def serve_plan(asked: Asked, plan: Plan, port: int | None) -> None:
    """llama.cpp's own server with the plan's settings until Ctrl+C or a SIGTERM."""
    import signal
    import threading

    from sizeup.engines.llamacpp.server import PORT, free_port, serving

    t, ended = asked.page.texts, threading.Event()
    chosen = free_port(PORT if port is None else port, port is not None)
    before = {name: signal.signal(name, lambda *_: ended.set()) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        loading(asked, plan)
        with serving(plan, chosen) as server:
            if asked.json:
                asked.say_json(
                    {"address": f"{server.address}/v1", "engine": server.engine, "model": plan.model.name, "load_s": server.load_s}
                )
            else:
                asked.say(t("serve_model.ready", model=plan.model.name, address=server.address) + "\n")
            while not ended.wait(0.5):
                if not server.alive():
                    raise EngineFailed("The engine ended while it served.", "sizeup fit for a smaller plan")
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
    if not asked.json:
        asked.say(t("serve_model.stopped") + "\n")


def once(asked: Asked, plan: Plan, prompt: str, max_tokens: int, temperature: float, seed: int, raw: bool) -> None:
    """Stream the model's answer to the prompt, then what it took beside what was predicted; the measurement is stored."""
    from sizeup import render, search
    from sizeup.engines.llamacpp.run import run as run_engine

    show = not asked.json
    loading(asked, plan)
    pieces: list[str] = []

    def on_text(text: str) -> None:
        pieces.append(text)
        if show:
            stream(text)

    found = run_engine(plan, prompt, max_tokens=max_tokens, temperature=temperature, seed=seed, raw=raw, on_text=on_text)
    predicted = plan.breakdown.as_reported()
    told = search.with_speed(plan, found.prompt_tokens + max_tokens // 2)
    number = search.remember(plan, found)
    if asked.json:
        from sizeup.api import measurement_json

        asked.say_json({**measurement_json(found, predicted), "text": "".join(pieces), "number": number})
        return
    asked.say("\n" + render.measurement(asked.page, told, found))
    asked.say(f"  {asked.page.texts('run.stored', number=number)}\n")


command = Verb(
    "run",
    run,
    [
        model_argument(),
        click.Argument(["prompt"], required=False, metavar="[PROMPT]"),
        Option(["--max-tokens"], type=of(COUNT), metavar="N"),
        Option(["--temperature"], type=float, default=0.0, metavar="T"),
        Option(["--seed"], type=of(COUNT), default=1, metavar="N"),
        Option(["--raw"], is_flag=True),
        Option(["--system"], metavar="TEXT"),
        Option(["--serve"], "serve_model", is_flag=True),
        Option(["--port"], "model_port", type=of(WHOLE), metavar="PORT"),
        Option(["--create"], metavar="NAME"),
        *plan_options(),
    ],
)
