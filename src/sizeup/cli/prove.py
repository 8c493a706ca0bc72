"""sizeup prove MODEL: what the real engine would allocate, to the byte, without the model's weights."""

from __future__ import annotations

import sys
from typing import Any

from sizeup.errors import EngineFailed, NotFound, Unavailable, UserError

from .settings import optional_model, plan_options, read_model, settings
from .verb import Asked, Option, Verb


def prove(asked: Asked, model: str | None, every: bool, **chosen: Any) -> None:
    """Print the prediction beside the engine's own plan, part by part; the proof is stored."""
    from sizeup import render, search
    from sizeup.ghost.prove import prove as prove_plan

    if every:
        _prove_all(asked, model or "", chosen)
        return
    if model is None:
        raise UserError("MODEL is missing.", "sizeup prove --help")
    spec = read_model(asked, model, chosen["assume"])
    given = {"gpu_layers": 0, **settings(chosen)}
    plan = search.fit(spec, None, engine=chosen["engine"], quant=chosen["quant"], context_tokens=chosen["context"], **given)[0]
    try:
        found = prove_plan(plan)
    except (EngineFailed, Unavailable):
        if not asked.json:
            asked.say(render.fit(asked.page, plan))
        raise
    number = search.remember(plan, found)
    if asked.json:
        from sizeup.api import proof_json

        asked.say_json({**proof_json(found), "number": number})
        return
    asked.say(render.proof(asked.page, plan, found))
    asked.say(f"  {asked.page.texts('prove.stored', number=number)}\n")


def _prove_all(asked: Asked, family: str, chosen: dict[str, Any]) -> None:
    """Prove every model of the catalogue, or those of one architecture, and list what disagrees."""
    from sizeup.ghost.census import census

    live = sys.stderr.isatty() and not asked.json
    rows = []
    for row in census(family, chosen["quant"] or "Q4_K_M", chosen["context"] or 8192):
        rows.append(row)
        if live:
            sys.stderr.write(f"\r\x1b[K{len(rows)}  {row.model}")
            sys.stderr.flush()
    if live:
        sys.stderr.write("\r\x1b[K")
    if asked.json:
        asked.say_json({"models": [row._asdict() for row in rows]})
        return
    from sizeup import render

    asked.say(render.census(asked.page, rows))
    if not rows:
        raise NotFound(f"The catalogue has no model of the architecture “{family}”.", "sizeup prove --all")


command = Verb(
    "prove",
    prove,
    [
        optional_model(),
        Option(["--all", "every"], "every", is_flag=True),
        *plan_options(),
    ],
)
