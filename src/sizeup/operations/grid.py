"""grid: every mix at every context on one machine, cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .kinds import COUNTS, WORDS
from .operation import Ask, Operation
from .parameter import Parameter, Values
from .shared import ASSUME, ENGINE, MACHINE_OPTIONS, MODEL_ARGUMENT, SETTINGS, USERS, settings

if TYPE_CHECKING:
    from sizeup.api.grids import GridJson
    from sizeup.grid import Grid

AXES = (Parameter("quants", WORDS, (), shown="MIX,MIX"), Parameter("contexts", COUNTS, (), shown="TOKENS,TOKENS"))
"""Rows and columns."""


class Gridded(NamedTuple):
    """The cells."""

    grid: Grid

    @property
    def met(self) -> bool:
        return any(cell.verdict in ("fits", "tight") for cell in self.grid.cells)

    def to_json(self) -> GridJson:
        from sizeup.api.grids import grid_json

        return grid_json(self.grid)


def grid(ask: Ask, values: Values) -> Gridded:
    """The cells of mixes and contexts, those given or the usual ones."""
    from sizeup.grid import grid as cells

    found = cells(
        ask.world.model(values["model"], values["assume"]),
        ask.world.on(values),
        engine=values["engine"],
        quants=values["quants"],
        contexts=values["contexts"],
        users=values["users"],
        **settings(values),
    )
    return Gridded(found)


GRID = Operation("grid", (MODEL_ARGUMENT, *MACHINE_OPTIONS, *AXES, *SETTINGS, ENGINE, USERS, ASSUME), grid)
