"""Several models on one machine at once: each takes its share of the pools, and what does not fit beside the others is swapped in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from .errors import UserError
from .footprint import Footprint, footprint
from .hardware import Machine
from .model import ModelSpec
from .plan import Plan
from .search import fit, read_model, resolve_machine


class Beside(NamedTuple):
    """A described model of pictures or speech and the pool it lies in."""

    footprint: Footprint
    pool: str
    """The one it lies in; "" where none has room for it."""


class Together(NamedTuple):
    """Plans of several models for one machine, in the order they were asked for."""

    plans: tuple[Plan, ...]
    """Each on what the ones before it in size left over; one that has no room there, on the whole machine, alone."""
    resident: tuple[bool, ...]
    """Whether it stays loaded beside the others."""
    left_bytes: dict[str, int]
    """Free in each pool when all that stay are loaded."""
    beside: tuple[Beside, ...] = ()
    """Models that are only described: they are placed first, since nothing splits them."""

    @property
    def fits(self) -> bool:
        """Whether all of them are loaded at once."""
        return all(self.resident) and all(one.pool for one in self.beside)

    @property
    def swap_s(self) -> float | None:
        """Seconds to load those that do not stay, once each, from a cold disk; None when no disk's rate is known, 0 when all stay."""
        loads = [plan.speed.load_s for plan, stays in zip(self.plans, self.resident, strict=True) if not stays]
        return None if None in loads else float(sum(load for load in loads if load is not None))


def together(
    models: Sequence[ModelSpec | str], machine: Machine | str | None = None, *, quant: str | None = None, context_tokens: int | None = None
) -> Together:
    """Plans for running `models` beside each other: the largest is placed first, the next on what it leaves, and so on.

    One that has no room beside the larger ones must be loaded in their stead; its plan is that for the whole machine. Names of
    data/footprints.json (sdxl, flux.1-dev, whisper-large-v3 …) take a card whole, or host memory. Raises UserError for fewer than
    two models.
    """
    if len(models) < 2:
        raise UserError("Together takes two models or more.", "sizeup fit qwen3:8b gemma3:4b --together")
    box = resolve_machine(machine)
    described = [one for model in models if isinstance(model, str) and (one := footprint(model))]
    specs = [read_model(model) for model in models if not (isinstance(model, str) and footprint(model))]
    room, beside = _laid(box, described)
    found = dict[int, tuple[Plan, bool]]()
    for index in sorted(range(len(specs)), key=lambda i: -specs[i].parameters):
        plan = fit(specs[index], room, quant=quant, context_tokens=context_tokens)[0]
        if plan.fits:
            room = less(room, plan)
            found[index] = (replace(plan, machine=box), True)
        else:
            found[index] = (fit(specs[index], box, quant=quant, context_tokens=context_tokens)[0], False)
    pairs = [found[index] for index in range(len(specs))]
    left = {pool.name: pool.free_bytes for pool in room.pools if pool.name != "disk"}
    return Together(tuple(plan for plan, _ in pairs), tuple(stays for _, stays in pairs), left, beside)


def _laid(machine: Machine, described: Sequence[Footprint]) -> tuple[Machine, tuple[Beside, ...]]:
    """The machine without what described models take, each on the card with most room for it, else in host memory."""
    found = []
    for one in described:
        roomy = [pool for pool in machine.pools if pool.name != "disk" and pool.free_bytes >= one.bytes]
        best = max(roomy, key=lambda pool: (pool.name.startswith("vram:"), pool.free_bytes), default=None)
        found.append(Beside(one, best.name if best else ""))
        if best is not None:
            machine = _taken(machine, {best.name: one.bytes})
    return machine, tuple(found)


def less(machine: Machine, plan: Plan) -> Machine:
    """The machine with what a plan needs taken from its pools."""
    return _taken(machine, {name: plan.breakdown.needed_bytes(name) for name in plan.breakdown.by_pool()})


def _taken(machine: Machine, needed: Mapping[str, int]) -> Machine:
    pools = tuple(replace(pool, free_bytes=max(pool.free_bytes - needed.get(pool.name, 0), 0)) for pool in machine.pools)
    return replace(machine, pools=pools)
