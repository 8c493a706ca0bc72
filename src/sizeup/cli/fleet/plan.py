"""sizeup fleet plan: which models go where on a cluster, with how many replicas, for a load and its goals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sizeup.errors import UserError
from sizeup.operations.fleet import FLEET_PLAN, Fleet

from ..settings import verb
from ..verb import Asked, Option

if TYPE_CHECKING:
    from sizeup.fleet.artefacts import Emitted


def tell(asked: Asked, answer: Fleet, to: Path | None, force: bool) -> None:
    """Print the plan, or what is missing, and write what runs it."""
    from sizeup.render.fleet_plan import fleet_plan

    if answer.files and to is None and not asked.json:
        raise UserError("Several files go to a folder.", "--to FOLDER")
    wrote = write(answer.files, to, force) if answer.files and to is not None else {}
    if asked.json:
        asked.say_json({**answer._replace(files=None).to_json(), "emitted": wrote} if wrote else answer.to_json())
        return
    asked.say(fleet_plan(asked.page, *answer.found, why=asked.why is not None))
    for path, run in wrote.items():
        asked.say(f"  {asked.page.texts('emit.wrote', path=path)}: {run}\n")


def write(files: Mapping[str, Emitted], to: Path, force: bool) -> dict[str, str]:
    """Folder written -> what is typed there."""
    from sizeup.fleet import artefacts

    for folder, emitted in files.items():
        artefacts.write(emitted, to / folder, force)
    return {str(to / folder): emitted.run for folder, emitted in files.items()}


command = verb(
    FLEET_PLAN,
    tell,
    [
        Option(["--to"], "fplan_to", type=click.Path(path_type=Path), metavar="FOLDER"),
        Option(["--force"], "fplan_force", is_flag=True),
    ],
)
