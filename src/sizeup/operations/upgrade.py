"""upgrade: what to change first on a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .kinds import COUNT, MODEL
from .operation import Ask, Operation
from .parameter import Parameter, Values
from .shared import CONTEXT_8192, MACHINE_OPTIONS

if TYPE_CHECKING:
    from sizeup.api.markets import UpgradesJson
    from sizeup.hardware import Machine
    from sizeup.upgrades import Upgrade


class Upgrades(NamedTuple):
    """Changes of a machine, those that bring most for their price first."""

    machine: Machine
    found: list[Upgrade]
    met: bool = True

    def to_json(self) -> UpgradesJson:
        from sizeup.api import upgrades_json

        return upgrades_json(self.machine, self.found)


def upgrade(ask: Ask, values: Values) -> Upgrades:
    """The changes that help most for their price."""
    from sizeup.upgrades import upgrades

    box = ask.world.on(values)
    wanted = ask.world.models(values["for"])
    return Upgrades(box, upgrades(box, wanted, context_tokens=values["context"], limit=values["limit"]))


UPGRADE = Operation(
    "upgrade",
    (
        *MACHINE_OPTIONS,
        Parameter("for", MODEL, key="wanted", shown="MODEL", many=True),
        CONTEXT_8192,
        Parameter("limit", COUNT, 10, key="limit_upgrades", shown="N", least=1, most=1000),
    ),
    upgrade,
)
