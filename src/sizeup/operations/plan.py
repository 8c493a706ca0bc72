"""plan: what exactly these settings take and how fast they run. Nothing is searched, so that a slider may ask it at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .fit import backed
from .kinds import FLAG
from .operation import Ask, Derived, Operation, derived
from .parameter import Parameter, Values
from .shared import MODEL_ARGUMENT, PLAN, USERS, settings

if TYPE_CHECKING:
    from sizeup.api.told import PlannedJson, ToldPlanJson
    from sizeup.plan import Plan
    from sizeup.render.told import Told


class Planned(NamedTuple):
    """One plan, its verdict and its longest context."""

    plan: Plan
    verdict: str
    longest_context_tokens: int | None
    told: Told | None = None

    @property
    def met(self) -> bool:
        return self.plan.fits

    def to_json(self) -> PlannedJson | ToldPlanJson:
        from sizeup.api import plan_json

        content: PlannedJson = {
            **plan_json(self.plan),
            "verdict": self.verdict,
            "longest_context_tokens": self.longest_context_tokens,
        }
        return content if self.told is None else {**content, "told": self.told}


def plan(ask: Ask, values: Values) -> Planned | Derived:
    """The plan of these settings: the first recommended mix, 8,192 tokens, and all layers on the cards where there are any, unless said."""
    from sizeup import grid, search

    made = backed(
        search.exactly(
            ask.world.model(values["model"], values["assume"]),
            ask.world.on(values),
            engine=values["engine"],
            quant=values["quant"],
            context_tokens=values["context"],
            users=values["users"],
            **settings(values),
        )
    )
    if ask.why is not None:
        return derived(ask, made)
    words = None
    if values["told"]:
        from .fit import words as worded

        words = worded(ask, [made], [])
    return Planned(made, grid.verdict(made), search.longest_context(made), words)


EXACT_PLAN = Operation("plan", (MODEL_ARGUMENT, *PLAN, USERS, Parameter("told", FLAG, False, typed_too=False)), plan, explained=True)
