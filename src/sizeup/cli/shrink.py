"""sizeup shrink MODEL: what making it smaller would save and cost; the shrunk shape as a ghost, proved or rehearsed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sizeup.errors import UserError
from sizeup.operations.operation import Derived
from sizeup.operations.shrink import SHRINK, Shrunk

from .settings import ask, options, say
from .verb import Asked, Option, Verb


def shrink(asked: Asked, ghost: Path | None, prove: bool, rehearse: bool, **values: object) -> None:
    """Print the outcomes; then write, prove or rehearse the one that was asked for, or the gentlest that reaches the size."""
    answer = SHRINK.answer(ask(asked), values)
    if isinstance(answer, Derived) or not isinstance(answer, Shrunk):
        say(asked, answer, tell)
        return
    if (ghost is None and not prove and not rehearse) or not answer.met:
        say(asked, answer, tell)
        return
    from sizeup import render
    from sizeup.api import measurement_json, proof_json
    from sizeup.shrinking.ghosts import proved, rehearsed, written

    best = answer.found.best
    if not best.steps:
        raise UserError("Nothing says which shrunk model is meant.", "--to 8GiB, or a technique such as --layers 24")
    content: dict[str, Any] = {**answer.to_json()}
    if not asked.json:
        tell(asked, answer)
    if ghost is not None:
        size = written(best, ghost)
        content["ghost"] = {"path": str(ghost), "file_bytes": size}
        if not asked.json:
            asked.say("\n".join(["", f"  {asked.page.texts('shrink.ghost_written', path=ghost, size=asked.page.bytes(size))}", ""]))
    if prove:
        plan, found = proved(best)
        content["proved"] = proof_json(found)
        if not asked.json:
            asked.say(render.proof(asked.page, plan, found))
    if rehearse:
        plan, found = rehearsed(best)
        content["rehearsed"] = measurement_json(found, plan.breakdown.as_reported())
        if not asked.json:
            asked.say(render.measurement(asked.page, plan, found))
    if asked.json:
        asked.say_json(content)


def tell(asked: Asked, answer: Shrunk) -> None:
    """Print the table and what it rests on."""
    from sizeup.render.shrink import shrink as drawn

    asked.say(drawn(asked.page, answer.found))


command = Verb(
    "shrink",
    shrink,
    [
        *options(SHRINK.parameters),
        Option(["--ghost"], "shrink_ghost", type=click.Path(path_type=Path), metavar="FILE"),
        Option(["--prove"], "shrink_prove", is_flag=True),
        Option(["--rehearse"], "shrink_rehearse", is_flag=True),
    ],
)
