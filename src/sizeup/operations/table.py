"""table: the two tables that every guide prints, for any mix and context."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sizeup.errors import UserError

from .operation import Ask, Operation
from .parameter import Parameter, Values
from .shared import CONTEXT_8192, QUANT

if TYPE_CHECKING:
    from sizeup.api.markets import TableJson
    from sizeup.guide_tables import Size, Tier


class Table(NamedTuple):
    """One of the tables; the other is empty."""

    which: str
    sizes: list[Size]
    tiers: list[Tier]
    context_tokens: int
    met: bool = True

    def to_json(self) -> TableJson:
        from sizeup.api import guide_json

        return guide_json(self.sizes, self.tiers, self.context_tokens)


def table(ask: Ask, values: Values) -> Table:
    """Sizes of models, or what machines of each tier run."""
    from sizeup import guide_tables

    which, quant, context = values["which"], values["quant"], values["context"]
    if which not in ("sizes", "machines"):
        raise UserError(f"“{which}” is not a table of sizeup.", "sizeup table sizes or sizeup table machines")
    sizes = list(guide_tables.sizes(quant, context)) if which == "sizes" else []
    tiers = list(guide_tables.tiers(quant, context)) if which == "machines" else []
    return Table(which, sizes, tiers, context)


TABLE = Operation("table", (Parameter("which", shown="sizes|machines", argument=True, required=True), QUANT, CONTEXT_8192), table)
