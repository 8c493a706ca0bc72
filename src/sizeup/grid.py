"""One model on one machine, mix by mix and context by context: does each fit, how tightly, how fast.

Every cell is a plan of its own, placed as well as its settings allow and accounted exactly; cache types, flash attention and batches
are as they were given. What varies beyond that is for `search.fit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .choice import kept_share
from .engines import engine as find_engine
from .errors import Refused, UserError
from .facts import data_json
from .hardware import Machine
from .model import ModelSpec
from .plan import Plan, Speed
from .search import candidates, searched

MOST_CELLS = 400


class Cell(NamedTuple):
    """One mix at one context."""

    quant: str
    context_tokens: int
    verdict: str
    """"fits", "tight" (it fits, and leaves less than preference.json's share of a memory free), "no" or "refused" by the engine."""
    plan: Plan | None
    """None where the engine would not start."""
    reason: str = ""
    """The engine's own, where it refuses."""

    @property
    def tightest(self) -> tuple[str, int] | None:
        """The pool with the least room for its size, and its free bytes; negative when it does not fit."""
        return None if self.plan is None else tightest(self.plan)

    @property
    def speed(self) -> Speed | None:
        """Decoding when the context is full, as the columns differ in that; None where it does not fit or nobody can know."""
        return (self.plan.speed.full or self.plan.speed.decode) if self.plan is not None and self.plan.fits else None

    @property
    def kept(self) -> float | None:
        """Share of the quality kept."""
        return None if self.plan is None else kept_share(self.plan.model, self.plan.asked_quant, self.plan.settings)


class Grid(NamedTuple):
    """Every cell, mixes first; `contexts` are tokens of each conversation."""

    model: ModelSpec
    machine: Machine
    engine: str
    quants: tuple[str, ...]
    contexts: tuple[int, ...]
    cells: tuple[Cell, ...]

    def row(self, quant: str) -> list[Cell]:
        """The cells of one mix, shortest context first."""
        return [cell for cell in self.cells if cell.quant == quant]


def grid(
    model: ModelSpec,
    machine: Machine,
    *,
    engine: str = "llama.cpp",
    quants: Sequence[str] = (),
    contexts: Sequence[int] = (),
    users: int | None = None,
    **settings: Any,
) -> Grid:
    """The cells of `quants` x `contexts`; without them, the recommended mixes, best first, and preference.json's contexts up to the model's own.

    Raises UserError for no context, for more than MOST_CELLS cells, and what the search raises.
    """
    limit = model.context_tokens or 1 << 40
    usual = data_json("preference.json")["contexts"]
    columns = tuple(sorted(set(contexts))) or tuple(count for count in usual if count <= limit) or (limit,)
    if columns[0] < 1:
        raise UserError(f"A context of {columns[0]} tokens is empty.", "--contexts 4096,32K")
    order = data_json("recommended_mixes.json")["by_quality"]
    mixes: list[str | None] = list(quants) if quants and model.stored != "gguf" else candidates(model, None, find_engine(engine))
    if not quants:
        mixes.sort(key=lambda mix: order.index(mix) if mix in order else -1)
    if len(mixes) * len(columns) > MOST_CELLS:
        raise UserError(f"{len(mixes) * len(columns)} cells are more than anybody looks at.", f"at most {MOST_CELLS}")
    found = tuple(cell(model, machine, engine, mix, context, users, settings) for mix in dict.fromkeys(mixes) for context in columns)
    return Grid(model, machine, engine, tuple(dict.fromkeys(one.quant for one in found)), columns, found)


def cell(
    model: ModelSpec, machine: Machine, engine: str, quant: str | None, context: int, users: int | None, settings: dict[str, Any]
) -> Cell:
    """The best placement of exact settings otherwise."""
    try:
        found = searched(model, machine, find_engine(engine), quant, context, users, settings, varied=False, around=False)
        best = found.best()
        plan = (best.trial if best is not None else found.least_short(quant)).plan()
    except Refused as error:
        return Cell(quant or model.mix or "as stored", context, "refused", None, error.message)
    return Cell(plan.quant, context, verdict(plan), plan)


def verdict(plan: Plan) -> str:
    """ "fits", "tight" or "no"."""
    if not plan.fits:
        return "no"
    pool, free = tightest(plan)
    whole = plan.machine.pool(pool)
    return "tight" if whole is not None and free < data_json("preference.json")["tight"]["share"] * whole.bytes else "fits"


def tightest(plan: Plan) -> tuple[str, int]:
    """The pool with the least room for its size, and its free bytes.

    Cards are left out where layers or experts lie in RAM already and everything fits: filled to the brim they are as they should be, and
    one layer more could leave them.
    """

    def share(name: str) -> float:
        pool = plan.machine.pool(name)
        return plan.free_bytes[name] / pool.bytes if pool is not None and pool.bytes else float(plan.free_bytes[name])

    shared = plan.fits and _beside_cards(plan)
    name = min((name for name in plan.free_bytes if not (shared and name.startswith("vram:"))), key=share)
    return name, plan.free_bytes[name]


def _beside_cards(plan: Plan) -> bool:
    """Whether layers or experts lie in RAM beside cards that hold the others."""
    layers, experts = getattr(plan.settings, "gpu_layers", 0), getattr(plan.settings, "cpu_moe_layers", 0)
    return "ram" in plan.free_bytes and bool(experts or (layers != "all" and int(layers) <= plan.model.layers))
