"""sizeup pretrain: tokens, hours, devices, money and energy of training a model from nothing."""

from __future__ import annotations

from typing import Any

import click

from .settings import Count, MachineName, Model
from .verb import WHY_ALL, Asked, Option, Verb


def pretrain(asked: Asked, model: str | None, **chosen: Any) -> None:
    """Print the plans side by side."""
    from sizeup.pretraining import pretrain as plan
    from sizeup.pretraining import why_hours

    found = plan(
        model,
        parameters=chosen["parameters"],
        tokens=chosen["tokens"],
        on=chosen["on"],
        gpus=chosen["gpus"],
        gpu=chosen["gpu"],
        budget=chosen["budget"],
        days=chosen["days"],
        sequence_tokens=chosen["sequence"],
        recompute=chosen["checkpointing"],
    )
    if asked.why is not None:
        from sizeup.derivation import explain

        hours = why_hours(found, None if asked.why == WHY_ALL else asked.why)
        derivation = explain(hours, None, asked.page.texts.language, asked.page.units)
        asked.say_json(derivation.to_json()) if asked.json else asked.say(derivation.text(asked.page) + "\n")
    elif asked.json:
        from sizeup.api import pretraining_json

        asked.say_json(pretraining_json(found))
    else:
        from sizeup.render.pretraining import pretraining

        asked.say(pretraining(asked.page, found))


command = Verb(
    "pretrain",
    pretrain,
    [
        click.Argument(["model"], metavar="[MODEL]", type=Model(), required=False),
        Option(["--parameters"], type=Count(), metavar="N"),
        Option(["--tokens", "tokens"], "training_tokens", type=Count(), metavar="N"),
        Option(["--on"], metavar="MACHINE", type=MachineName()),
        Option(["--gpus"], type=Count(), metavar="N"),
        Option(["--gpu"], metavar="DEVICE", type=MachineName()),
        Option(["--budget"], metavar="FLOP|h|$"),
        Option(["--days"], type=float, default=30.0, metavar="DAYS"),
        Option(["--sequence"], type=Count(), metavar="TOKENS"),
        Option(["--checkpointing"], type=click.Choice(["none", "selective", "full"]), default="none", metavar="none|selective|full"),
    ],
)
