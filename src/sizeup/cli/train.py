"""sizeup train MODEL: what a training step takes, part by part, and what makes it fit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sizeup.errors import DOES_NOT_FIT

from .settings import Count, machine_options, model_argument, read_model
from .verb import WHY_ALL, Asked, Option, Verb

if TYPE_CHECKING:
    from sizeup.trace.proof import TrainingProof
    from sizeup.training.result import Training


def train(
    asked: Asked,
    model: str,
    on: str | None,
    ram: int | None,
    assume: str | None,
    split: tuple[str, ...],
    teacher: str | None,
    prove: bool,
    every_layer: bool,
    emit: str | None,
    to: Path | None,
    rehearse: bool,
    layers: int | None,
    steps: int,
    **chosen: Any,
) -> None:
    """Print what one step takes; exit 3 when it does not fit the machine that was named."""
    from sizeup.training.answer import train as answer
    from sizeup.training.changes import cheapest
    from sizeup.training.planned import TrainingPlan, plan_of, plan_training
    from sizeup.training.splits import parse_split

    from .settings import find_machine

    spec = read_model(model, assume)
    machine = find_machine(on, ram) if on or ram else None
    settings = {name: value for name, value in chosen.items() if value is not None}
    if teacher is not None:
        settings["teacher"] = read_model(teacher, None)
    if split:
        settings["split"] = parse_split(split)
    if prove or every_layer:
        # A trace runs the model's own loss.
        settings.setdefault("loss", "hf")
    plans: list[TrainingPlan] = []
    if machine is not None and "method" not in settings:
        plans = plan_training(spec, machine, **settings)
    training = plans[0].training if plans else answer(spec, machine=machine, **settings)
    if asked.why is not None:
        from sizeup.derivation import explain

        derivation = explain(training.explained(), None if asked.why == WHY_ALL else asked.why, asked.page.texts.language, asked.page.units)
        if asked.json:
            asked.say_json(derivation.to_json())
        else:
            asked.say(derivation.text(asked.page) + "\n")
        return
    if emit is not None:
        _emit(asked, plans[0] if plans else plan_of(training), emit, to, model)
        return
    if rehearse or layers is not None:
        _rehearse(asked, training, layers, steps)
        return
    fits = plans[0].fits if plans else training.fits
    changes = cheapest(training) if fits is False else []
    proof = trace(asked, training, every_layer) if prove or every_layer else None
    if asked.json:
        nearest = [{"change": change, "process_bytes": found.process_bytes, "peak_bytes": found.peak_bytes} for change, found in changes]
        told = {"plan": plans[0].to_json(), "others": [plan.to_json() for plan in plans[1:]]} if plans else {}
        proved = {"proof": proof.to_json()} if proof is not None else {}
        asked.say_json({**training.to_json(), "nearest": nearest, **told, **proved})
    else:
        from sizeup.render.train import train as render
        from sizeup.render.training_plan import plan_lines

        asked.say(render(asked.page, training, changes, plan_lines(asked.page, plans, typed()) if plans and fits else []))
        if proof is not None:
            from sizeup.render.trace import training_proof

            asked.say(training_proof(asked.page, proof))
    if fits is False:
        raise SystemExit(DOES_NOT_FIT)


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
        model_argument(),
        Option(["--method"], "train_method", metavar="METHOD"),
        Option(["--dtype"], "train_dtype", metavar="DTYPE"),
        Option(["--optimizer"], metavar="NAME"),
        Option(["--batch", "micro_batch"], "micro_batch", type=Count(), metavar="SEQUENCES"),
        Option(["--sequence", "sequence_tokens"], "train_sequence", type=Count(), metavar="TOKENS"),
        Option(["--checkpointing/--no-checkpointing"], "train_checkpointing", default=None),
        Option(["--attention"], metavar="KERNEL"),
        Option(["--rank"], type=int, metavar="R"),
        Option(["--targets"], metavar="MODULES"),
        Option(["--loss"], metavar="hf|chunked|trl"),
        Option(["--kbit-prep/--no-kbit-prep"], default=None),
        Option(["--accumulate"], is_flag=True, default=None),
        Option(["--algorithm"], metavar="NAME"),
        Option(["--teacher"], metavar="MODEL"),
        Option(["--prove"], "train_prove", is_flag=True),
        Option(["--every-layer"], is_flag=True),
        Option(["--rehearse"], "train_rehearse", is_flag=True),
        Option(["--layers"], "train_layers", type=Count(), metavar="N"),
        Option(["--steps"], "train_steps", type=Count(), default=3, metavar="N"),
        Option(["--emit"], metavar="TOOL"),
        Option(["--to"], "emit_to", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER"),
        Option(["--split"], multiple=True, metavar="KIND=DEVICES"),
        *machine_options(),
        Option(["--assume"], metavar="ARCHITECTURE"),
    ],
)
