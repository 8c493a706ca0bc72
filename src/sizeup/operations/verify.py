"""verify: an engine's log read, beside what is predicted for its settings; what it teaches is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .kinds import FILE, FLAG, MODEL
from .operation import Ask, Operation
from .parameter import Parameter, Values
from .shared import ON

if TYPE_CHECKING:
    from sizeup.api.logs import LogsJson
    from sizeup.verification import Verified


class Logs(NamedTuple):
    """Every start of every log, in their order."""

    starts: list[Verified]
    met: bool = True

    def to_json(self) -> LogsJson:
        from sizeup.api import logs_json

        return logs_json(self.starts)


def verify(ask: Ask, values: Values) -> Logs:
    """Every start that the logs hold."""
    from sizeup.verification import verify as verified

    model = ask.world.model(values["model"]) if values["model"] else None
    on = ask.world.machine(values["on"]) if values["on"] else None
    keep = ask.world.keeps and not values["no_keep"]
    starts: list[Verified] = []
    for path in values["logs"]:
        starts += verified(ask.world.log(path), path, model=model, on=on, here=ask.world.machine, keep=keep)
    return Logs(starts)


VERIFY = Operation(
    "verify",
    (
        Parameter("logs", FILE, shown="LOG", argument=True, required=True, many=True),
        Parameter("model", MODEL, key="logged_model", shown="MODEL"),
        ON,
        Parameter("no_keep", FLAG, False),
    ),
    verify,
)
