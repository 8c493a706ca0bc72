"""model and machine: what was read of them, from where; and which names are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .kinds import FLAG, MACHINE
from .operation import Ask, Operation
from .parameter import Parameter, Values
from .shared import ASSUME, MODEL_ARGUMENT, OVERRULED

if TYPE_CHECKING:
    from sizeup.api.things import KnownJson, ModelJson
    from sizeup.hardware import Machine
    from sizeup.model import ModelSpec
    from sizeup.probe.table import Part


class Model(NamedTuple):
    """A model as it was read."""

    spec: ModelSpec
    met: bool = True

    def to_json(self) -> ModelJson:
        from sizeup.api import model_json

        return model_json(self.spec)


class Box(NamedTuple):
    """A machine as it was found."""

    machine: Machine
    met: bool = True

    def to_json(self) -> Machine:
        from sizeup.api import machine_json

        return machine_json(self.machine)


class Known(NamedTuple):
    """Devices and whole machines whose names hold a word."""

    word: str
    parts: tuple[Part, ...]
    machines: list[str]
    met: bool = True

    def to_json(self) -> KnownJson:
        from sizeup.api import known_json

        return known_json(self.parts, self.machines)


def model(ask: Ask, values: Values) -> Model:
    """What is known of a model, layer by layer."""
    return Model(ask.world.model(values["model"], values["assume"]))


def machine(ask: Ask, values: Values) -> Box | Known:
    """A machine with where each figure is from, or the names that hold a word."""
    if values["list"]:
        from sizeup.probe.described import whole_machines
        from sizeup.probe.table import holding

        word = values["name"] or ""
        return Known(word, holding(word), whole_machines(word))
    return Box(ask.world.given(ask.world.detailed(values["name"], values["ram"]), values))


MODEL = Operation("model", (MODEL_ARGUMENT, ASSUME), model)
MACHINE_ = Operation(
    "machine",
    (
        Parameter("name", MACHINE, key="machine_name", shown="[NAME|FILE]", argument=True),
        Parameter("list", FLAG, False, key="devices"),
        *OVERRULED,
    ),
    machine,
)
