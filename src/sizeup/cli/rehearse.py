"""sizeup rehearse MODEL: run a full-size model with made-up weights on this machine, before any download."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from sizeup.errors import EngineFailed, Unavailable, UserError
from sizeup.operations.kinds import COUNT, COUNTS, SIZE

from .settings import model_argument, of, plan_options, read_model, settings
from .verb import Asked, Option, Verb


def rehearse(
    asked: Asked,
    model: str,
    prompt_tokens: int,
    decode_tokens: int,
    seconds: float,
    max_disk: int | None,
    disk: tuple[Path, ...],
    layers: int | None,
    compare: str | None,
    depths: tuple[int, ...],
    batches: tuple[int, ...],
    **chosen: Any,
) -> None:
    """Rehearse one plan, or one for each mix of --compare; every rehearsal is stored."""
    from sizeup import render, search
    from sizeup.ghost.rehearse import rehearse as rehearse_plan

    if prompt_tokens < 1 or decode_tokens < 1 or not seconds > 0:
        raise UserError("A rehearsal needs at least one token of prompt, one to decode and some time.", "sizeup rehearse --help")
    spec = read_model(asked, model, chosen["assume"])
    given = {"gpu_layers": 0, **settings(chosen)}
    context = chosen["context"]
    if depths or batches:
        from sizeup.ghost.depths import needed_context

        given = {"sequences": max((1, *batches)), **given}
        if context is None:
            usual = min(8192, spec.context_tokens or 8192)
            context = max(usual, needed_context(depths, (given["sequences"],), prompt_tokens, decode_tokens))
    mixes = [mix.strip() for mix in compare.split(",") if mix.strip()] if compare else [chosen["quant"]]
    rows = []
    for mix in mixes:
        plan = search.fit(spec, None, engine=chosen["engine"], quant=mix, context_tokens=context, **given)[0]
        try:
            found = rehearse_plan(
                plan,
                prompt_tokens=prompt_tokens,
                decode_tokens=decode_tokens,
                seconds=seconds,
                max_disk=max_disk,
                layers=layers,
                disks=disk,
                depths=depths,
                batches=batches,
                tell=_live(asked, plan.quant),
            )
        except (EngineFailed, Unavailable):
            if not asked.json:
                asked.say(render.fit(asked.page, plan))
            raise
        told = search.with_speed(plan, prompt_tokens + decode_tokens // 2)
        number = search.remember(plan, found)
        rows.append((plan, found, number))
        if not asked.json and len(mixes) == 1:
            asked.say(render.measurement(asked.page, told, found))
            asked.say(f"  {asked.page.texts('rehearse.stored', number=number)}\n")
    if asked.json:
        from sizeup.api import measurement_json

        listed = [
            {**measurement_json(found, plan.breakdown.as_reported()), "quant": plan.quant, "number": number} for plan, found, number in rows
        ]
        asked.say_json(listed[0] if len(mixes) == 1 else {"rehearsals": listed})
    elif len(mixes) > 1:
        asked.say(render.rehearsals(asked.page, [(plan, found) for plan, found, _ in rows]))


def _live(asked: Asked, mix: str) -> Any:
    """Progress on standard error while a person looks: bytes written, then the estimate so far."""
    if asked.json or not sys.stderr.isatty():
        return None
    t = asked.page.texts

    def show(words: str) -> None:
        sys.stderr.write(f"\r\x1b[K  {words}")
        sys.stderr.flush()

    def tell(kind: str, event: dict[str, Any]) -> None:
        if kind == "written":
            show(t("rehearse.writing", mix=mix, done=asked.page.bytes(event["bytes"]), whole=asked.page.bytes(event["of_bytes"])))
        elif kind == "loaded":
            show(t("rehearse.loaded", mix=mix))
        elif kind == "cold":
            show(t("rehearse.cold", mix=mix))
        elif kind == "filling":
            show(t("rehearse.filling", mix=mix, done=event["tokens"], depth=event["of_tokens"]))
        elif kind == "point":
            places = {"index": event["index"], "count": event["count"], "depth": event["depth_tokens"], "batch": event["sequences"]}
            said = {"task": t(f"speed.{event['task']}"), "rate": f"{event['tokens_per_s']:.3g}", "repeats": event["repeats"]}
            show(t("rehearse.at_point", mix=mix, **places, **said))
        elif kind == "pace":
            rates = {name: f"{event[f'{name}_tokens_per_s']:.3g}" for name in ("prefill", "decode")}
            show(t("rehearse.pace", mix=mix, repeats=event["repeats"], **rates))
        elif kind == "done":
            sys.stderr.write("\r\x1b[K")

    return tell


command = Verb(
    "rehearse",
    rehearse,
    [
        model_argument(),
        Option(["--prompt-tokens"], type=of(COUNT), default=256, metavar="N"),
        Option(["--decode-tokens"], type=of(COUNT), default=32, metavar="N"),
        Option(["--seconds"], type=float, default=60.0, metavar="S"),
        Option(["--max-disk"], type=of(SIZE), metavar="SIZE"),
        Option(["--disk"], type=click.Path(path_type=Path), multiple=True, metavar="FOLDER"),
        Option(["--layers"], type=of(COUNT), metavar="N"),
        Option(["--compare"], metavar="MIX,MIX"),
        Option(["--depths"], type=of(COUNTS), default=(), metavar="N,N"),
        Option(["--batches"], type=of(COUNTS), default=(), metavar="N,N"),
        *plan_options(),
    ],
)
