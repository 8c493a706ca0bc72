"""table: the two tables that every guide prints, for any mix and context."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sizeup.errors import UserError

from .operation import Ask, Operation
from .parameter import Parameter, Values
from .shared import CONTEXT_8192, QUANT, TOLD

if TYPE_CHECKING:
    from sizeup.api.markets import TableJson
    from sizeup.api.told import ToldTableJson
    from sizeup.guide_tables import Size, Tier
    from sizeup.render.guide_tables import TableTold


class Table(NamedTuple):
    """One of the tables; the other is empty."""

    which: str
    sizes: list[Size]
    tiers: list[Tier]
    context_tokens: int
    told: TableTold | None = None
    """The words of the answer, where they were asked for."""
    met: bool = True

    def to_json(self) -> TableJson | ToldTableJson:
        from sizeup.api import guide_json

        content = guide_json(self.sizes, self.tiers, self.context_tokens)
        return content if self.told is None else {**content, "told": self.told}


def table(ask: Ask, values: Values) -> Table:
    """Sizes of models, or what machines of each tier run."""
    from sizeup import guide_tables

    which, quant, context = values["which"], values["quant"], values["context"]
    if which not in ("sizes", "machines"):
        raise UserError(f"“{which}” is not a table of sizeup.", "sizeup table sizes or sizeup table machines")
    sizes = list(guide_tables.sizes(quant, context)) if which == "sizes" else []
    tiers = list(guide_tables.tiers(quant, context)) if which == "machines" else []
    return Table(which, sizes, tiers, context, words(ask, which, sizes, tiers, context) if values["told"] else None)


def words(ask: Ask, which: str, sizes: list[Size], tiers: list[Tier], context_tokens: int) -> TableTold:
    """The answer in words, for a screen that lays out by itself."""
    from sizeup.render.guide_tables import told

    return told(ask.page, which, sizes, tiers, context_tokens)


TABLE = Operation("table", (Parameter("which", shown="sizes|machines", argument=True, required=True), QUANT, CONTEXT_8192, TOLD), table)
