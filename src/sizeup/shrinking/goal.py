"""Below a size: the combinations that lose least, and among those that lose as much the ones that take least work.

The size is all that must be free to run the model at its context, in all pools together: weights, cache, working buffers, the engine.
Tried are shapes whose cost somebody measured, smaller siblings, every recommended mix and the cache's usual types; the engine's
own accounting answers for each.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from sizeup.engines import engine as find_engine
from sizeup.errors import NotFound, Refused, UserError
from sizeup.facts import data_json
from sizeup.hardware import Machine
from sizeup.layers import Moe
from sizeup.memory import make_settings
from sizeup.trial import attempt

from .cost import Cost, cost
from .depth import removable
from .form import Form
from .labour import LEVELS
from .menu import SHARE, narrowed
from .shape import parts_of
from .siblings import smaller
from .steps import Asked, Step, applied, steps
from .weigh import ENGINE

CACHES = (None, "q8_0", "q4_0")
SHOWN = 5
ALIKE = 0.005
"""Shares of quality that differ by less count as equal, and the work decides (assumed)."""


class Candidate(NamedTuple):
    """One combination that was tried."""

    steps: tuple[Step, ...]
    needed_bytes: int
    cost: Cost

    @property
    def gentleness(self) -> tuple[bool, int, int, int]:
        """The smaller the gentler: unknown losses after known ones, then the loss, the work, the number of steps."""
        lost = round((1 - self.cost.known_share) / ALIKE)
        return bool(self.cost.unknown), lost, LEVELS.index(self.cost.labour.level), len(self.steps)


class Goal(NamedTuple):
    """What was wanted and what reaches it, the gentlest first."""

    to_bytes: int
    found: tuple[Candidate, ...]
    smallest: Candidate | None
    """The least that any combination needs, where none reaches it."""


def reach(form: Form, machine: Machine, context_tokens: int, to_bytes: int, asked: Asked | None = None) -> Goal:
    """Combinations below this size, each kind of technique once; `asked` are techniques that all of them use."""
    fixed = asked or Asked()
    tries = list(tried(form, fixed))
    if not all(after.runnable for _, after in tries):
        raise UserError(
            "llama.cpp has no file for what these techniques store.", "--to with --quant, --layers, --hidden, --heads or --experts"
        )
    # The weights alone say of most that they are too large.
    small = [(steps, after) for steps, after in tries if after.stored_bytes <= to_bytes]
    found = [one for steps, after in small if (one := _needed(form, steps, after, machine, context_tokens)) is not None]
    fitting = sorted((one for one in found if one.needed_bytes <= to_bytes), key=lambda one: (one.gentleness, -one.needed_bytes))
    kinds: dict[tuple[str, ...], Candidate] = {}
    for one in fitting:
        kinds.setdefault(tuple(step.technique for step in one.steps if step.technique not in ("quantise", "cache")), one)
    smallest = None
    if not fitting:
        steps, after = min(tries, key=lambda one: (one[1].stored_bytes, one[1].cache_row_bytes))
        smallest = _needed(form, steps, after, machine, context_tokens)
    return Goal(to_bytes, tuple(kinds.values())[:SHOWN], smallest)


def tried(form: Form, fixed: Asked) -> Iterator[tuple[tuple[Step, ...], Form]]:
    """Every combination of a shape, a mix and a type of the cache with the form that it makes; what is given stays as it is."""
    mixes: list[str | None] = [None, *data_json("recommended_mixes.json")["by_quality"]] if fixed.quant is None else [fixed.quant]
    caches: tuple[str | None, ...] = CACHES if fixed.kv_type is None else (fixed.kv_type,)
    for shape in shapes(form, fixed):
        done = allowed(form, replace(shape, quant=None, kv_type=None))
        if done is None:
            continue
        shaped = applied(form, done)
        for mix, kind in itertools.product(mixes, caches):
            stored = allowed(shaped, Asked(quant=mix, kv_type=kind))
            if stored is not None:
                yield (*done, *stored), applied(shaped, stored)


def allowed(form: Form, asked: Asked) -> tuple[Step, ...] | None:
    """The steps; None for what the model refuses."""
    try:
        return steps(form, asked)
    except (UserError, Refused, NotFound):
        return None


def shapes(form: Form, fixed: Asked) -> Iterator[Asked]:
    """The model's own shape, and those that measurements may speak for; only its own where shapes are given."""
    yield fixed
    if fixed != Asked(quant=fixed.quant, kv_type=fixed.kv_type):
        return
    yield from (Asked(layers=count) for share in (SHARE, 2 * SHARE) if (count := removable(form.model, share)))
    yield from narrowed(form)
    for feed in parts_of(form.model, Moe)[:1]:
        yield from (Asked(experts=count) for share in (SHARE, 2 * SHARE) if (count := round(feed.experts * (1 - share))) >= feed.used)
    yield from (Asked(sibling=one) for one in smaller(form.model)[:3])


def _needed(before: Form, done: tuple[Step, ...], after: Form, machine: Machine, context_tokens: int) -> Candidate | None:
    """What it needs with all layers on the machine's first choice of device; None for what the engine refuses."""
    engine = find_engine(ENGINE)
    given = {"context_tokens": context_tokens, "k": after.k, "v": after.v, "gpu_layers": "all" if machine.devices else 0}
    try:
        settings = engine.on(make_settings(engine.Settings, ENGINE, given), machine, given)
        breakdown = attempt(after.model, machine, engine, after.quant, settings).breakdown
    except (Refused, UserError):
        return None
    return Candidate(done, sum(breakdown.needed_bytes(pool) for pool in breakdown.by_pool()), cost(before, after, done))
