"""pretrain: tokens, hours, devices, money and energy of training a model from nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .kinds import COUNT, MACHINE, NUMBER, choice
from .operation import Ask, Derived, Operation, derived
from .parameter import Parameter, Values
from .shared import MODEL_OPTIONAL, ON

if TYPE_CHECKING:
    from sizeup.api.training import PretrainingJson
    from sizeup.pretraining import Pretraining


class Pretrained(NamedTuple):
    """The plans side by side."""

    found: Pretraining
    met: bool = True

    def to_json(self) -> PretrainingJson:
        from sizeup.api import pretraining_json

        return pretraining_json(self.found)


def pretrain(ask: Ask, values: Values) -> Pretrained | Derived:
    """Plans for training a model, or a bare size, from nothing."""
    from sizeup.pretraining import pretrain as plan
    from sizeup.pretraining import why_hours

    world = ask.world
    found = plan(
        world.model(values["model"]) if values["model"] is not None else None,
        parameters=values["parameters"],
        tokens=values["tokens"],
        on=world.machine(values["on"]) if values["on"] is not None else None,
        gpus=values["gpus"],
        gpu=world.machine(values["gpu"]) if values["gpu"] is not None else None,
        budget=values["budget"],
        days=values["days"],
        sequence_tokens=values["sequence"],
        recompute=values["checkpointing"],
    )
    if ask.why is not None:
        return derived(ask, why_hours(found, ask.part), whole=True)
    return Pretrained(found)


PRETRAIN = Operation(
    "pretrain",
    (
        MODEL_OPTIONAL,
        Parameter("parameters", COUNT, shown="N"),
        Parameter("tokens", COUNT, key="training_tokens", shown="N"),
        ON,
        Parameter("gpus", COUNT, shown="N"),
        Parameter("gpu", MACHINE, shown="DEVICE"),
        Parameter("budget", shown="FLOP|h|$"),
        Parameter("days", NUMBER, 30.0, shown="DAYS"),
        Parameter("sequence", COUNT, shown="TOKENS"),
        Parameter("checkpointing", choice("none", "selective", "full"), "none", shown="none|selective|full"),
    ),
    pretrain,
    explained=True,
)
