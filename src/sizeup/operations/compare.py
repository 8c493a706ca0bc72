"""compare: models, machines or plans side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .operation import Ask, Operation
from .parameter import Parameter, Values
from .shared import CONTEXT, MACHINE_OPTIONS, TOLD, named

if TYPE_CHECKING:
    from sizeup.api.told import ToldComparisonJson
    from sizeup.comparison import Comparison
    from sizeup.comparison.rows import ComparisonJson
    from sizeup.render.told import ComparisonTold


class Compared(NamedTuple):
    """Things side by side."""

    comparison: Comparison
    told: ComparisonTold | None = None
    """The words of the answer, where they were asked for."""
    met: bool = True

    def to_json(self) -> ComparisonJson | ToldComparisonJson:
        content = self.comparison.to_json()
        return content if self.told is None else {**content, "told": self.told}


def compare(ask: Ask, values: Values) -> Compared:
    """Two or more things of one kind; what differs is marked."""
    from sizeup.comparison import compare as side_by_side

    world = ask.world
    box = world.on(values) if named(values) else None
    found = side_by_side(*values["things"], machine=box, context_tokens=values["context"], read=world.model, find=world.machine)
    return Compared(found, words(ask, found) if values["told"] else None)


def words(ask: Ask, found: Comparison) -> ComparisonTold:
    """The answer in words, for a screen that lays out by itself."""
    from sizeup.render.told import comparison_told

    return comparison_told(ask.page, found)


COMPARE = Operation(
    "compare",
    (Parameter("things", shown="A B [C…]", argument=True, many=True), *MACHINE_OPTIONS, CONTEXT, TOLD),
    compare,
)
