"""sizeup train MODEL: what a training step takes, part by part, and what makes it fit."""

from __future__ import annotations

from typing import Any

from sizeup.errors import DOES_NOT_FIT

from .settings import Count, machine_options, model_argument, read_model
from .verb import WHY_ALL, Asked, Option, Verb


def train(
    asked: Asked,
    model: str,
    on: str | None,
    ram: int | None,
    assume: str | None,
    split: tuple[str, ...],
    teacher: str | None,
    **chosen: Any,
) -> None:
    """Print what one step takes; exit 3 when it does not fit the machine that was named."""
    from sizeup.training.answer import train as answer
    from sizeup.training.changes import cheapest
    from sizeup.training.splits import parse_split

    from .settings import find_machine

    spec = read_model(model, assume)
    machine = find_machine(on, ram) if on or ram else None
    settings = {name: value for name, value in chosen.items() if value is not None}
    if teacher is not None:
        settings["teacher"] = read_model(teacher, None)
    training = answer(spec, machine=machine, split=parse_split(split), **settings)
    if asked.why is not None:
        from sizeup.derivation import explain

        derivation = explain(training.explained(), None if asked.why == WHY_ALL else asked.why, asked.page.texts.language, asked.page.units)
        if asked.json:
            asked.say_json(derivation.to_json())
        else:
            asked.say(derivation.text(asked.page) + "\n")
        return
    changes = cheapest(training) if training.fits is False else []
    if asked.json:
        nearest = [{"change": change, "process_bytes": found.process_bytes, "peak_bytes": found.peak_bytes} for change, found in changes]
        asked.say_json({**training.to_json(), "nearest": nearest})
    else:
        from sizeup.render.train import train as render

        asked.say(render(asked.page, training, changes))
    if training.fits is False:
        raise SystemExit(DOES_NOT_FIT)


command = Verb(
    "train",
    train,
    [
        model_argument(),
        Option(["--method"], "train_method", default="qlora", metavar="METHOD"),
        Option(["--dtype"], "train_dtype", default="bf16", metavar="DTYPE"),
        Option(["--optimizer"], default="adamw", metavar="NAME"),
        Option(["--batch", "micro_batch"], "micro_batch", type=Count(), default=1, metavar="SEQUENCES"),
        Option(["--sequence", "sequence_tokens"], "sequence", type=Count(), default=2048, metavar="TOKENS"),
        Option(["--checkpointing/--no-checkpointing"], default=True),
        Option(["--attention"], default="flash", metavar="KERNEL"),
        Option(["--rank"], type=int, default=16, metavar="R"),
        Option(["--targets"], default="all-linear", metavar="MODULES"),
        Option(["--loss"], default="hf", metavar="hf|chunked"),
        Option(["--kbit-prep/--no-kbit-prep"], default=True),
        Option(["--accumulate"], is_flag=True, default=None),
        Option(["--algorithm"], default="sft", metavar="NAME"),
        Option(["--teacher"], metavar="MODEL"),
        Option(["--split"], multiple=True, metavar="KIND=DEVICES"),
        *machine_options(),
        Option(["--assume"], metavar="ARCHITECTURE"),
    ],
)
