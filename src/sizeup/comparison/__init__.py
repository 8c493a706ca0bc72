"""Models, machines or plans side by side: `sizeup.compare`. What differs is marked, and which is better where one is."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import NotFound, SizeupError, UserError
from ..hardware import Machine
from ..mixes import mix as find_mix
from ..model import ModelSpec
from ..plan import Plan
from ..probe import machine as find_machine
from ..readers import read
from ..search import fit
from .machines import compare_machines
from .models import compare_models
from .plans import compare_plans
from .rows import Comparison, Row, Value

__all__ = ["Comparison", "Row", "Value", "compare"]

Thing = str | ModelSpec | Machine | Plan
Read = Callable[[str], ModelSpec]
Find = Callable[[str | None], Machine]
MOST = 8
"""Things side by side; more are a table of another kind (`sizeup models`, `sizeup sweep`)."""


def compare(
    *things: Thing,
    machine: Machine | str | None = None,
    context_tokens: int | None = None,
    read: Read = read,
    find: Find = find_machine,
) -> Comparison:
    """Two or more models, machines or plans side by side; all of one kind.

    A text is what `sizeup.read` or `sizeup.machine` takes, or a plan: `MODEL:MIX@MACHINE`, where `:MIX` may be left out (the best one
    that fits) and a bare `@` means this machine. `machine` (None: this one) is what models are tried on; `context_tokens` is of
    their plans. `read` and `find` look models and machines up. Raises UserError for one thing alone or things of several kinds, and what reading or naming them raises.
    """
    if not 2 <= len(things) <= MOST:
        raise UserError(f"A comparison needs two to {MOST} things, not {len(things)}.", "sizeup compare qwen3:8b gemma3:4b")
    names = [thing if isinstance(thing, str) else "" for thing in things]
    if any(isinstance(thing, Plan) or (isinstance(thing, str) and "@" in thing) for thing in things):
        plans = [_plan(thing, context_tokens, read, find) for thing in things]
        return compare_plans(
            [name or f"{plan.model.name}:{plan.quant}@{plan.machine.name}" for name, plan in zip(names, plans, strict=True)], plans
        )
    found = [_known(thing, read, find) for thing in things]
    if all(model for model, _ in found):
        models = [model for model, _ in found if model]
        titles = [name or model.name for name, model in zip(names, models, strict=True)]
        return compare_models(titles, models, find(machine) if machine is None or isinstance(machine, str) else machine, context_tokens)
    if all(box for _, box in found):
        boxes = [box for _, box in found if box]
        return compare_machines([name or box.name for name, box in zip(names, boxes, strict=True)], boxes)
    one = next(name or str(index + 1) for index, (name, (model, _)) in enumerate(zip(names, found, strict=True)) if model)
    other = next(name or str(index + 1) for index, (name, (model, _)) in enumerate(zip(names, found, strict=True)) if not model)
    raise UserError(f"{one} is a model and {other} is a machine.", f"sizeup compare {one}@{other} {one}@")


def _known(thing: Thing, read: Read, find: Find) -> tuple[ModelSpec | None, Machine | None]:
    """What a thing is: a model, a machine, or a name of both. Raises what reading the model raises when it is neither."""
    if isinstance(thing, ModelSpec):
        return thing, None
    if isinstance(thing, Machine):
        return None, thing
    assert isinstance(thing, str)
    box: Machine | None = None
    try:
        box = find(thing)
    except NotFound:
        box = None
    try:
        return read(thing), box
    except SizeupError:
        if box is None:
            raise
        return None, box


def _plan(thing: Thing, context_tokens: int | None, read: Read, find: Find) -> Plan:
    if isinstance(thing, Plan):
        return thing
    if not isinstance(thing, str) or "@" not in thing:
        name = thing if isinstance(thing, str) else thing.name
        raise UserError(f"“{name}” is no plan, and the others are.", "MODEL:Q4_K_M@rtx-4090, or MODEL@ for this machine")
    model, _, box = thing.rpartition("@")
    name, mix = _parted(model)
    return fit(read(name), find(box or None), quant=mix, context_tokens=context_tokens)[0]


def _parted(model: str) -> tuple[str, str | None]:
    """MODEL:MIX as a model and a mix; what follows the last colon may as well be an Ollama tag."""
    name, colon, last = model.rpartition(":")
    if not colon:
        return model, None
    try:
        return name, find_mix(last).name
    except NotFound:
        return model, None
