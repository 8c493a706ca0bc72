"""sizeup train MODEL: what a training step takes, part by part, and what makes it fit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sizeup.errors import DOES_NOT_FIT
from sizeup.operations.kinds import COUNT
from sizeup.operations.train import TRAIN, Trained, planned

from .settings import ask, of, options, say
from .verb import Asked, Option, Verb

if TYPE_CHECKING:
    from sizeup.trace.proof import TrainingProof
    from sizeup.training.result import Training


def train(
    asked: Asked,
    prove: bool,
    every_layer: bool,
    emit: str | None,
    to: Path | None,
    rehearse: bool,
    layers: int | None,
    steps: int,
    **values: Any,
) -> None:
    """Print what one step takes; exit 3 when it does not fit the machine that was named."""
    if asked.why is not None or not (prove or every_layer or emit is not None or rehearse or layers is not None):
        say(asked, TRAIN.answer(ask(asked), values), tell)
        return
    from sizeup.training.changes import cheapest
    from sizeup.training.planned import plan_of

    # A trace runs the model's own loss.
    training, plans = planned(ask(asked), values, **({"loss": "hf"} if prove or every_layer else {}))
    if emit is not None:
        _emit(asked, plans[0] if plans else plan_of(training), emit, to, values["model"])
        return
    if rehearse or layers is not None:
        _rehearse(asked, training, layers, steps)
        return
    found = Trained(training, plans, [])
    answer = found._replace(changes=cheapest(training)) if not found.met else found
    proof = trace(asked, training, every_layer)
    if asked.json:
        asked.say_json({**answer.to_json(), "proof": proof.to_json()})
    else:
        from sizeup.render.trace import training_proof

        tell(asked, answer)
        asked.say(training_proof(asked.page, proof))
    if not answer.met:
        raise SystemExit(DOES_NOT_FIT)


def tell(asked: Asked, answer: Trained) -> None:
    """Print what one step takes."""
    from sizeup.render.train import train as render
    from sizeup.render.training_plan import plan_lines

    lines = plan_lines(asked.page, answer.plans, typed()) if answer.plans and answer.met else []
    asked.say(render(asked.page, answer.training, answer.changes, lines))


def _rehearse(asked: Asked, training: Training, layers: int | None, steps: int) -> None:
    """Really train a ghost for a few steps on this machine, and tell it beside the prediction."""
    from sizeup.practice.rehearse import rehearse_training

    found = rehearse_training(training, layers, steps)
    if asked.json:
        asked.say_json({**training.to_json(), "rehearsal": found.to_json()})
        return
    from sizeup.render.practice import practice

    asked.say(practice(asked.page, found))


def _emit(asked: Asked, plan: Any, tool: str, to: Path | None, model: str) -> None:
    """Print the files of a tool, or put them into a folder and say how they are run."""
    from sizeup.training.emit import emit, write

    path = Path(model)
    # Tools want the folder of a model, where sizeup takes its config alone.
    folder = str(path.parent if path.is_file() else path) if path.exists() else None
    found = emit(plan, tool, folder)
    t, paths = asked.page.texts, write(found, to) if to is not None else []
    if asked.json:
        asked.say_json(
            {"tool": tool, "files": found.files, "written": [str(path) for path in paths], "command": found.command, "notes": found.notes}
        )
    elif to is None:
        asked.say("\n".join(found.files.values()))
    else:
        lines = ["", *(f"  {t('emit.wrote', path=path)}" for path in paths), "", f"  {t('emit.run')}", f"  {found.command}", ""]
        asked.say("\n".join(lines) + "\n")


def typed() -> list[str]:
    """The question as it was typed, without the program and the verb."""
    words = list(click.get_current_context().obj or ())
    if "train" in words:
        words.remove("train")
    return words


def trace(asked: Asked, training: Training, every_layer: bool) -> TrainingProof:
    """Run the libraries' own step, telling on a terminal how far it is."""
    from sizeup.trace.proof import prove_training

    live = sys.stderr.isatty() and not asked.json

    def progress(stage: str, layers: int) -> None:
        if live:
            sys.stderr.write(f"\r\x1b[K  {asked.page.texts(f'trace.stage.{stage}', layers=layers)}")
            sys.stderr.flush()

    try:
        return prove_training(training, every_layer, progress)
    finally:
        if live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


command = Verb(
    "train",
    train,
    [
        *options(TRAIN.parameters),
        Option(["--prove"], "train_prove", is_flag=True),
        Option(["--every-layer"], is_flag=True),
        Option(["--rehearse"], "train_rehearse", is_flag=True),
        Option(["--layers"], "train_layers", type=of(COUNT), metavar="N"),
        Option(["--steps"], "train_steps", type=of(COUNT), default=3, metavar="N"),
        Option(["--emit"], metavar="TOOL"),
        Option(["--to"], "emit_to", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER"),
    ],
)
