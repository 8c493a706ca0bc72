"""train: what a training step takes, part by part, and what makes it fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .kinds import COUNT, FLAG, MODEL, SWITCH, WHOLE
from .operation import Ask, Derived, Operation, derived
from .parameter import Parameter, Values
from .shared import ASSUME, MACHINE_OPTIONS, MODEL_ARGUMENT, named

if TYPE_CHECKING:
    from sizeup.api.trained import PlannedTrainingJson, TrainedJson
    from sizeup.training.planned import TrainingPlan
    from sizeup.training.result import Training

RECIPE = (
    Parameter("method", key="train_method", shown="METHOD"),
    Parameter("dtype", key="train_dtype", shown="DTYPE"),
    Parameter("optimizer", shown="NAME"),
    Parameter("batch", COUNT, key="micro_batch", shown="SEQUENCES"),
    Parameter("sequence", COUNT, key="train_sequence", shown="TOKENS"),
    Parameter("checkpointing", SWITCH, key="train_checkpointing"),
    Parameter("attention", shown="KERNEL"),
    Parameter("rank", WHOLE, shown="R"),
    Parameter("targets", shown="MODULES"),
    Parameter("loss", shown="hf|chunked|trl"),
    Parameter("kbit_prep", SWITCH),
    Parameter("tower", shown="frozen|trained|none"),
    Parameter("accumulate", FLAG, False),
    Parameter("algorithm", shown="NAME"),
)
"""How the step is done."""

CALLED = {"batch": "micro_batch", "sequence": "sequence_tokens"}
"""What `sizeup.train` calls a parameter, where it is longer."""


class Trained(NamedTuple):
    """What one step takes; plans and the nearest changes where a machine was named."""

    training: Training
    plans: list[TrainingPlan]
    changes: list[tuple[dict[str, Any], Training]]

    @property
    def fits(self) -> bool | None:
        """None where no machine was named."""
        return self.plans[0].fits if self.plans else self.training.fits

    @property
    def met(self) -> bool:
        return self.fits is not False

    def to_json(self) -> TrainedJson | PlannedTrainingJson:
        content: TrainedJson = {
            **self.training.to_json(),
            "nearest": [
                {"change": change, "process_bytes": found.process_bytes, "peak_bytes": found.peak_bytes} for change, found in self.changes
            ],
        }
        if not self.plans:
            return content
        return {**content, "plan": self.plans[0].to_json(), "others": [plan.to_json() for plan in self.plans[1:]]}


def train(ask: Ask, values: Values) -> Trained | Derived:
    """What one step takes, and whether it fits the machine that was named."""
    from sizeup.training.changes import cheapest

    training, plans = planned(ask, values)
    if ask.why is not None:
        return derived(ask, training.explained())
    fits = plans[0].fits if plans else training.fits
    return Trained(training, plans, cheapest(training) if fits is False else [])


def planned(ask: Ask, values: Values, **beside: Any) -> tuple[Training, list[TrainingPlan]]:
    """The step, and the plans where a machine but no method was named; `beside` are settings that nobody gave."""
    from sizeup.training.answer import train as answer
    from sizeup.training.planned import plan_training
    from sizeup.training.splits import parse_split

    spec = ask.world.model(values["model"], values["assume"])
    machine = ask.world.on(values) if named(values) else None
    # A flag that nobody set leaves the choice to the recipe.
    given = {CALLED.get(row.name, row.name): values[row.name] for row in RECIPE if not (row.kind is FLAG and not values[row.name])}
    settings = {**beside, **{name: value for name, value in given.items() if value is not None}}
    if values["teacher"] is not None:
        settings["teacher"] = ask.world.model(values["teacher"])
    if values["split"]:
        settings["split"] = parse_split(values["split"])
    plans: list[TrainingPlan] = []
    if machine is not None and "method" not in settings:
        plans = plan_training(spec, machine, **settings)
    return plans[0].training if plans else answer(spec, machine=machine, **settings), plans


TRAIN = Operation(
    "train",
    (
        MODEL_ARGUMENT,
        *RECIPE,
        Parameter("teacher", MODEL, shown="MODEL"),
        Parameter("split", shown="KIND=DEVICES", many=True),
        *MACHINE_OPTIONS,
        ASSUME,
    ),
    train,
    explained=True,
)
