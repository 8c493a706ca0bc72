"""fit: does it fit, part by part, how fast, and what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sizeup.errors import UserError

from .grid import AXES, Gridded, grid
from .kinds import FLAG
from .operation import Ask, Derived, Operation, derived
from .parameter import Parameter, Values
from .shared import MODELS_ARGUMENT, PLAN, PROMPT, TOLD, USERS, settings

if TYPE_CHECKING:
    from sizeup.api.markets import TogetherJson
    from sizeup.api.plans import FitJson, FrontJson
    from sizeup.api.told import ToldFitJson
    from sizeup.choice import Choice
    from sizeup.hardware import Machine
    from sizeup.model import ModelSpec
    from sizeup.plan import Plan
    from sizeup.render.told import Told
    from sizeup.together import Together


class Fitted(NamedTuple):
    """The plans, best first; what fits instead when none does; the longest context of the first."""

    plans: list[Plan]
    nearest: list[Plan]
    longest_context_tokens: int | None
    prompt_tokens: int | None = None
    """The prompt whose wait is told, where one was named."""
    told: Told | None = None
    """The words of the answer, where they were asked for."""

    @property
    def met(self) -> bool:
        return self.plans[0].fits

    def to_json(self) -> FitJson | ToldFitJson:
        from sizeup.api import fit_json

        content = fit_json(self.plans, self.nearest, self.longest_context_tokens)
        return content if self.told is None else {**content, "told": self.told}


class Front(NamedTuple):
    """Every way to run a model that no other beats in everything."""

    model: ModelSpec
    machine: Machine
    found: list[Choice]

    @property
    def met(self) -> bool:
        return bool(self.found)

    def to_json(self) -> FrontJson:
        from sizeup.api import choice_json

        return {"model": self.model.name, "machine": self.machine.name, "front": [choice_json(one) for one in self.found]}


class SideBySide(NamedTuple):
    """Several models that share a machine."""

    machine: Machine
    found: Together

    @property
    def met(self) -> bool:
        return self.found.fits

    def to_json(self) -> TogetherJson:
        from sizeup.api import together_json

        return together_json(self.found)


def fit(ask: Ask, values: Values) -> Fitted | Front | SideBySide | Gridded | Derived:
    """The best plan for a model and a machine; the front of all of them; or several models at once."""
    if not values["grid"]:
        for axis in AXES:
            if values[axis.name]:
                raise UserError(f"{axis.typed} is an axis of --grid.", f"--grid {axis.typed} …")
    if values["together"]:
        return together(ask, values)
    names = values["model"]
    if len(names) > 1:
        raise UserError(f"fit is about one model, not {len(names)}.", "--together for all of them at once, or sizeup compare")
    spec, machine = ask.world.model(names[0], values["assume"]), ask.world.on(values)
    if values["grid"]:
        return grid(ask, {**values, "model": names[0]})
    if values["front"]:
        return front(spec, machine, values)
    from sizeup import remedies, search

    plans = search.fit(
        spec,
        machine,
        engine=values["engine"],
        quant=values["quant"],
        context_tokens=values["context"],
        users=values["users"],
        **settings(values),
    )
    plans[0] = backed(plans[0])
    plan = plans[0]
    if ask.why is not None:
        return derived(ask, plan)
    nearest = [] if plan.fits else remedies.nearest(spec, plan)
    longest = search.longest_context(plan) if plan.fits else None
    return Fitted(plans, nearest, longest, values["prompt"], words(ask, plans, nearest, values["prompt"]) if values["told"] else None)


def words(ask: Ask, plans: list[Plan], nearest: list[Plan], prompt_tokens: int | None = None) -> Told:
    """The answer in words, for a screen that lays out by itself."""
    from sizeup.render.told import told

    return told(ask.page, plans[0], plans[1:], nearest, prompt_tokens)


def front(spec: ModelSpec, machine: Machine, values: Values) -> Front:
    """Every way that no other beats, at the context that was asked for or at several."""
    from sizeup.search import frontier

    contexts = [values["context"]] if values["context"] else None
    found = frontier(
        spec, machine, engine=values["engine"], quant=values["quant"], contexts=contexts, users=values["users"], **settings(values)
    )
    return Front(spec, machine, found)


def together(ask: Ask, values: Values) -> SideBySide:
    """How several models share a machine."""
    from sizeup.footprint import footprint
    from sizeup.together import together as share

    specs = [name if footprint(name) else ask.world.model(name, values["assume"]) for name in values["model"]]
    machine = ask.world.on(values)
    return SideBySide(machine, share(specs, machine, quant=values["quant"], context_tokens=values["context"]))


def backed(plan: Plan) -> Plan:
    """The plan with the proofs, rehearsals and runs of these very settings that this machine keeps."""
    from sizeup.home import data_dir

    # Most answers have nothing to look up, and the database's module costs a tenth of the start.
    if not (data_dir() / "sizeup.db").exists():
        return plan
    from dataclasses import replace

    from sizeup import store

    return replace(plan, evidence=store.evidence(plan.model.name, plan.quant, plan.settings_json(), plan.machine.kept_as))


FIT = Operation(
    "fit",
    (
        MODELS_ARGUMENT,
        *PLAN,
        Parameter("together", FLAG, False),
        Parameter("front", FLAG, False),
        Parameter("grid", FLAG, False),
        *AXES,
        USERS,
        PROMPT,
        TOLD,
    ),
    fit,
    explained=True,
)
