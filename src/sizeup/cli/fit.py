"""sizeup fit MODEL: does it fit, part by part, how fast, and what to type."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sizeup.errors import UserError
from sizeup.operations.fit import FIT, Fitted, Front, SideBySide
from sizeup.operations.grid import Gridded
from sizeup.operations.kinds import COUNT

from .settings import of, verb
from .verb import Asked, Option

if TYPE_CHECKING:
    from sizeup.plan import Plan


def tell(
    asked: Asked,
    answer: Fitted | Front | SideBySide | Gridded,
    prove: bool | None,
    emit: tuple[str, ...],
    to: Path | None,
    **handed: Any,
) -> None:
    """Print the best plan, the front or the models side by side; `prove` None asks the engine in a terminal, `emit` writes files."""
    if emit:
        hand_over(asked, answer, emit, to, **handed)
        return
    if to is not None or any(handed.values()):
        raise UserError("--to, --replicas, --nodes, --inventory and --force are of --emit.", "--emit compose")
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


def hand_over(
    asked: Asked,
    answer: Fitted | Front | SideBySide | Gridded,
    targets: tuple[str, ...],
    folder: Path | None,
    replicas: int | None,
    nodes: int | None,
    inventory: str | None,
    force: bool,
) -> None:
    """Print the file of a target, or put the first plan as files into a folder and say what to type."""
    from sizeup.fleet import artefacts, saved
    from sizeup.fleet.artefacts.wanted import wanted

    if not isinstance(answer, Fitted):
        raise UserError("Files are written of one plan.", "one model, without --front and lists")
    cluster = saved.load(inventory) if inventory is not None else None
    found = wanted(answer.plans[0], replicas or 1, cluster, nodes)
    emitted = [artefacts.emit(found, target) for target in targets]
    files = {name: text for one in emitted for name, text in one.files.items()}
    runs = [one.run for one in emitted]
    if folder is None and len(targets) > 1:
        raise UserError("Several files go to a folder.", "--to FOLDER")
    paths = artefacts.write(artefacts.Emitted(files, runs[0]), folder, force) if folder is not None else []
    if asked.json:
        asked.say_json({**answer.to_json(), "emitted": {"files": files, "written": [str(path) for path in paths], "run": runs}})
        return
    if folder is None:
        asked.say(next(iter(emitted[0].files.values())))
        return
    from sizeup import render

    t = asked.page.texts
    asked.say(render.fit(asked.page, answer.plans[0], [], [], answer.longest_context_tokens, answer.prompt_tokens))
    lines = ["", *(f"  {t('emit.wrote', path=path)}" for path in paths), "", f"  {t('emit.run')}", *(f"  {run}" for run in runs), ""]
    asked.say("\n".join(lines))


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


command = verb(
    FIT,
    tell,
    [
        Option(["--prove/--no-prove"], default=None),
        Option(["--emit"], "fit_emit", multiple=True, metavar="TARGET"),
        Option(["--to"], "fit_to", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER"),
        Option(["--replicas"], "fit_replicas", type=of(COUNT), metavar="N"),
        Option(["--nodes"], "fit_nodes", type=of(COUNT), metavar="N"),
        Option(["--inventory"], "fleet_inventory", metavar="FILE"),
        Option(["--force"], "fit_force", is_flag=True),
    ],
)
