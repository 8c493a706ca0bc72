"""One form on one machine: stored and moved bytes, memory, speed; asked of the engine's own accounting and speed formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sizeup.engines import engine as find_engine
from sizeup.errors import Refused
from sizeup.figure import plain
from sizeup.hardware import Machine
from sizeup.memory import make_settings
from sizeup.plan import Plan, Speed
from sizeup.search import place

from .cost import Cost, cost
from .form import Form
from .steps import Step, applied

ENGINE = "llama.cpp"


@dataclass(frozen=True)
class Outcome:
    """What a model has become by some steps, and what that costs. No steps: the model as it is."""

    steps: tuple[Step, ...]
    form: Form
    stored_bytes: int
    """Weights, and adapters beside them."""
    moved_bytes: int
    """Read for one new token behind a context that is full: weights, cache, state and one adapter."""
    plan: Plan | None
    """How llama.cpp runs it; None for what it does not run."""
    cost: Cost
    refusal: Refused | None = None
    """Why llama.cpp would not start with this shape; None where it would."""

    @property
    def memory_bytes(self) -> int | None:
        """All that must be free to run it, in all pools together, every adapter too; None where the engine does not run it."""
        return None if self.plan is None else needed_bytes(self.plan) + self.form.stored_bytes - self.form.weight_bytes

    @property
    def decode(self) -> Speed | None:
        """Of one conversation behind a full context; None where it does not run or no rate is known."""
        return self.plan.speed.full if self.plan is not None and self.plan.fits else None


def needed_bytes(plan: Plan) -> int:
    """What must be free in all pools together, every part at the upper end of its band."""
    return sum(plan.breakdown.needed_bytes(pool) for pool in plan.breakdown.by_pool())


def weighed(steps: Sequence[Step], before: Form, machine: Machine, context_tokens: int, near: Plan | None = None) -> Outcome:
    """The outcome of these steps. What the engine does not run is placed as `near`, the plan of the model as it is.

    Raises Refused where the engine would not start with the model as it is, UserError for steps that make nothing smaller.
    """
    form = applied(before, steps)
    plan, refusal = None, None
    try:
        plan = placed(form, machine, context_tokens) if form.runnable or near is None else None
    except Refused as error:
        if near is None:
            raise
        refusal = error
    at = plan or near
    assert at is not None
    settings = replace(at.settings, k=form.k, v=form.v)
    work = find_engine(ENGINE).work(*form.worked, settings, depth_tokens=context_tokens - 1)
    moved = sum(float(plain(part.moved_bytes)) for part in work)
    moved += form.adapter_moved_bytes
    return Outcome(tuple(steps), form, form.stored_bytes, round(moved), plan, cost(before, form, steps), refusal)


def placed(form: Form, machine: Machine, context_tokens: int) -> Plan:
    """The fastest placement that fits, or the one that misses least."""
    engine = find_engine(ENGINE)
    given = {"context_tokens": context_tokens, "k": form.k, "v": form.v}
    settings = engine.on(make_settings(engine.Settings, ENGINE, given), machine, given)
    return place(form.model, machine, engine, form.quant, settings, set(given))
