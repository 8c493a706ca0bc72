"""sizeup fit MODEL: does it fit, part by part, how fast, and what to type."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sizeup.operations.fit import FIT, Fitted, Front, SideBySide
from sizeup.operations.grid import Gridded

from .settings import verb
from .verb import Asked, Option

if TYPE_CHECKING:
    from sizeup.plan import Plan


def tell(asked: Asked, answer: Fitted | Front | SideBySide | Gridded, prove: bool | None) -> None:
    """Print the best plan, the front or the models side by side; `prove` None asks the engine in a terminal."""
    if asked.json:
        proved = {"proof": proof_of(answer.plans[0])} if prove and isinstance(answer, Fitted) else {}
        asked.say_json({**answer.to_json(), **proved})
        return
    from sizeup import render

    if isinstance(answer, SideBySide):
        asked.say(render.together(asked.page, answer.machine, answer.found))
    elif isinstance(answer, Gridded):
        from sizeup.render.grid import grid

        asked.say(grid(asked.page, answer.grid))
    elif isinstance(answer, Front):
        from sizeup.render.front import front

        asked.say(front(asked.page, answer.model, answer.machine, answer.found))
    else:
        plan, *others = answer.plans
        asked.say(render.fit(asked.page, plan, others, answer.nearest, answer.longest_context_tokens, answer.prompt_tokens))
        if prove or (prove is None and sys.stdout.isatty()):
            tell_proof(asked, plan)


def tell_proof(asked: Asked, plan: Plan) -> None:
    """Below the answer, what the embedded engine itself says to it; nothing where there is none or it has no such device."""
    from sizeup import render, search
    from sizeup.errors import SizeupError
    from sizeup.ghost.prove import prove

    try:
        found = prove(plan)
        search.remember(plan, found)
    except SizeupError:
        return
    asked.say(render.proof_line(asked.page, found) + "\n")


def proof_of(plan: Plan) -> dict[str, Any] | None:
    """The proof for programs; None where the engine cannot plan it."""
    from sizeup.api import proof_json
    from sizeup.errors import SizeupError
    from sizeup.ghost.prove import prove

    try:
        return proof_json(prove(plan))
    except SizeupError:
        return None


command = verb(FIT, tell, [Option(["--prove/--no-prove"], default=None)])
