"""A bench of a model file by the embedded engine or of a server by its address, with what was predicted, kept as a measurement."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from sizeup import search, store
from sizeup.engines.llamacpp.server import serving
from sizeup.errors import Refused, UserError
from sizeup.hardware import Machine
from sizeup.model import ModelSpec
from sizeup.plan import Measurement, Plan, Speed
from sizeup.points import Point
from sizeup.servers.client import Server
from sizeup.servers.openai import models

from .measure import Asked, Benched, bench, check

TEMPLATE_TOKENS = 64
"""What a chat template and the number at a prompt's beginning add at most."""
STEP = 256

Tell = Callable[[int, int, Point], None]


class Outcome(NamedTuple):
    """What was measured, beside what was predicted of each row; None where nothing could be."""

    measurement: Measurement
    benched: Benched
    predicted: tuple[Speed | None, ...]
    number: int
    """Of the measurement in the store."""


def context_of(asked: Asked) -> int:
    """Tokens of context that all rows need, of all sequences together."""
    longest = max(asked.depths) + asked.prompt_tokens + asked.decode_tokens + TEMPLATE_TOKENS
    # Words are counted in tokens by a ratio, which is a few per cent off.
    each = (longest + longest // 16 + STEP - 1) // STEP * STEP
    return each * max(asked.batches)


def of_file(
    spec: ModelSpec, machine: Machine, asked: Asked, settings: dict[str, Any], tell: Tell, loaded: Callable[[Plan], None]
) -> Outcome:
    """Bench a model file with the embedded engine's own server. Raises UserError when the context is longer than the model's."""
    check(asked)
    context = context_of(asked)
    if spec.context_tokens and context // max(asked.batches) > spec.context_tokens:
        raise UserError(
            f"The deepest row needs {context // max(asked.batches):,} tokens of context; {spec.name} has {spec.context_tokens:,}.",
            "--depths 0,4K",
        )
    plan = search.fit(spec, machine, context_tokens=context, **{**settings, "sequences": max(asked.batches)})[0]
    key = secrets.token_urlsafe(16)
    loaded(plan)
    with serving(plan, key=key) as server:
        found = bench(Server(server.address, "llama.cpp", token=key, seconds=30.0), plan.model.name, asked, tell)
        engine, load_s = server.engine, server.load_s
    measurement = replace(_measurement(found, engine, plan.model.name, plan), load_s=load_s)
    return Outcome(measurement, found, _predicted(plan, asked, found), search.remember(plan, measurement))


def of_server(url: str, asked: Asked, plan: Plan | None, tell: Tell) -> Outcome:
    """Bench whatever answers at an address with its first model; `plan` says what was expected of it."""
    check(asked)
    server = Server(url.removesuffix("/").removesuffix("/v1"), "an OpenAI-compatible API", seconds=30.0)
    listed = models(server)
    if not listed:
        raise server.not_meant("/v1/models")
    found = bench(server, listed[0], asked, tell)
    measurement = _measurement(found, f"{server.base}", plan.model.name if plan else listed[0], plan)
    predicted = _predicted(plan, asked, found) if plan else tuple(None for _ in found.points)
    return Outcome(measurement, found, predicted, store.keep(measurement, {}))


def _measurement(found: Benched, engine: str, model: str, plan: Plan | None) -> Measurement:
    first = found.points[0]
    return Measurement(
        level="measured",
        engine=engine,
        model=model,
        settings=plan.settings_json() if plan else {},
        buffers={},
        quant=plan.quant if plan else "",
        prompt_tokens=found.prompts[0],
        prefill_tokens_per_s=first.prefill_tokens_per_s,
        prefill_spread=first.prefill_spread,
        decode_tokens_per_s=first.decode_tokens_per_s,
        decode_spread=first.decode_spread,
        repeats=first.decode_repeats,
        points=found.points,
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        machine=plan.machine.name if plan else "",
    )


def _predicted(plan: Plan, asked: Asked, found: Benched) -> tuple[Speed | None, ...]:
    """The decode speed of each row, from the plan's own placement."""
    speeds = []
    for point, prompt in zip(found.points, found.prompts, strict=True):
        depth = (prompt or point.depth_tokens + asked.prompt_tokens) + asked.decode_tokens // 2
        try:
            speeds.append(
                search.speed(
                    plan.model,
                    plan.machine,
                    engine=plan.engine,
                    quant=plan.asked_quant,
                    depth_tokens=depth,
                    batch=point.sequences,
                    gpu_layers=getattr(plan.settings, "gpu_layers", None),
                ).decode
            )
        except (Refused, UserError):
            speeds.append(None)
    return tuple(speeds)
