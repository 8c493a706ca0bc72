"""sizeup run FILE.gguf: run the real model, then print predicted beside measured."""

from __future__ import annotations

import sys
from typing import Any

import click

from sizeup.operations.kinds import COUNT

from .settings import model_argument, of, plan_options, read_model, settings
from .verb import Asked, Option, Verb, write


def run(asked: Asked, model: str, prompt: str, max_tokens: int, temperature: float, seed: int, raw: bool, **chosen: Any) -> None:
    """Stream the model's answer to the prompt, then what it took beside what was predicted; the measurement is stored."""
    from sizeup import render, search
    from sizeup.engines.llamacpp.run import run as run_engine

    spec = read_model(asked, model, chosen["assume"])
    plan = search.fit(spec, None, engine=chosen["engine"], quant=chosen["quant"], context_tokens=chosen["context"], **settings(chosen))[0]
    show = not asked.json
    if show and sys.stderr.isatty():
        print(asked.page.texts("run.loading", model=spec.name), file=sys.stderr, flush=True)
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
        click.Argument(["prompt"], required=False, default="The three states of matter are", metavar="[PROMPT]"),
        Option(["--max-tokens"], type=of(COUNT), default=128, metavar="N"),
        Option(["--temperature"], type=float, default=0.0, metavar="T"),
        Option(["--seed"], type=of(COUNT), default=1, metavar="N"),
        Option(["--raw"], is_flag=True),
        *plan_options(),
    ],
)
