"""sizeup run FILE.gguf: run the real model, then print predicted beside measured; talk to it; or serve it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from sizeup.errors import EngineFailed
from sizeup.operations.kinds import COUNT, WHOLE

from .settings import model_argument, of, plan_options, read_model, settings
from .verb import Asked, Option, Verb, write

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
    **chosen: Any,
) -> None:
    """Answer one prompt and tell what it took beside what was predicted; talk, where a person is there and asks nothing; or serve."""
    from sizeup import search

    spec = read_model(asked, model, chosen["assume"])
    plan = search.fit(spec, None, engine=chosen["engine"], quant=chosen["quant"], context_tokens=chosen["context"], **settings(chosen))[0]
    if serve:
        serve_plan(asked, plan, port)
    elif prompt is None and not (asked.json or raw) and sys.stdin.isatty() and sys.stdout.isatty():
        from .conversation import converse

        converse(
            asked, plan, system or "", {"temperature": temperature, "seed": seed, **({"max_tokens": max_tokens} if max_tokens else {})}
        )
    else:
        once(asked, plan, prompt or EXAMPLE, max_tokens or 128, temperature, seed, raw)


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
            write(text)

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
        *plan_options(),
    ],
)
