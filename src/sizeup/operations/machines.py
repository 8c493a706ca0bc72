"""machines: which machines suit a model, bought or rented."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sizeup.errors import Unavailable, UserError

from .kinds import AMOUNT, COUNT, FLAG
from .operation import Ask, Operation
from .parameter import Parameter, Values
from .shared import CONTEXT_8192, ENGINE, MODEL_ARGUMENT, QUANT

if TYPE_CHECKING:
    from sizeup.api.markets import MachinesJson
    from sizeup.live_prices import Live
    from sizeup.markets import Offer, Wishes
    from sizeup.model import ModelSpec


class Offered(NamedTuple):
    """Machines for one model, of so many that were looked at."""

    model: ModelSpec
    wishes: Wishes
    offers: list[Offer]
    excluded: dict[str, int]
    looked_at: int
    live: Live | Unavailable | None
    """Today's prices, or why there are none; None when they were not asked for."""

    @property
    def met(self) -> bool:
        return any(not offer.misses for offer in self.offers)

    def to_json(self) -> MachinesJson:
        from sizeup.api import machines_json

        return machines_json(self.offers, self.excluded, self.live)


def machines(ask: Ask, values: Values) -> Offered:
    """Machines that run a model for so many people, at the dated prices; nearest ones when none meets every wish."""
    return machines_for(ask, values)


def machines_for(ask: Ask, values: Values, prices: Callable[[], Live | Unavailable | None] = lambda: None) -> Offered:
    """The same; `prices` asks for today's once the wishes are known to make sense."""
    from sizeup import markets
    from sizeup.live_prices import Live

    rent, buy = values["rent"], values["buy"]
    if rent and buy:
        raise UserError("--rent and --buy leave nothing over.", "one of the two, or neither for both")
    wishes = markets.Wishes(
        values["users"], values["context"], values["slowest"], values["budget"], values["watts"], True if rent else False if buy else None
    )
    spec = ask.world.model(values["model"])
    live = prices()
    survey = markets.survey(spec, wishes, values["quant"], values["engine"], live.prices if isinstance(live, Live) else ())
    return Offered(spec, wishes, markets.chosen(survey, values["limit"]), markets.excluded(survey), len(survey), live)


MACHINES = Operation(
    "machines",
    (
        MODEL_ARGUMENT,
        Parameter("users", COUNT, 1, shown="N"),
        CONTEXT_8192,
        QUANT,
        Parameter("slowest", AMOUNT, key="slowest_each", shown="TOK/S"),
        Parameter("budget", AMOUNT, key="usd", shown="USD"),
        Parameter("watts", AMOUNT, key="most_watts", shown="W"),
        Parameter("rent", FLAG, False),
        Parameter("buy", FLAG, False),
        Parameter("limit", COUNT, 10, key="limit_machines", shown="N", least=1, most=10_000),
        ENGINE,
    ),
    machines,
)
