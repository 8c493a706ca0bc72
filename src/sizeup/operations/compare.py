"""compare: models, machines or plans side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .operation import Ask, Operation
from .parameter import Parameter, Values
from .shared import CONTEXT, MACHINE_OPTIONS, named

if TYPE_CHECKING:
    from sizeup.comparison import Comparison
    from sizeup.comparison.rows import ComparisonJson


class Compared(NamedTuple):
    """Things side by side."""

    comparison: Comparison
    met: bool = True

    def to_json(self) -> ComparisonJson:
        return self.comparison.to_json()


def compare(ask: Ask, values: Values) -> Compared:
    """Two or more things of one kind; what differs is marked."""
    from sizeup.comparison import compare as side_by_side

    world = ask.world
    box = world.on(values) if named(values) else None
    return Compared(side_by_side(*values["things"], machine=box, context_tokens=values["context"], read=world.model, find=world.machine))


COMPARE = Operation(
    "compare",
    (Parameter("things", shown="A B [C…]", argument=True, many=True), *MACHINE_OPTIONS, CONTEXT),
    compare,
)
