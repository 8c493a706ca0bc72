"""Several models on one machine at once: each takes its share of the pools, and what does not fit beside the others is swapped in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from .errors import UserError
from .hardware import Machine
from .model import ModelSpec
from .plan import Plan
from .search import fit, read_model, resolve_machine


class Together(NamedTuple):
    """Plans of several models for one machine, in the order they were asked for."""

    plans: tuple[Plan, ...]
    """Each on what the ones before it in size left over; one that has no room there, on the whole machine, alone."""
    resident: tuple[bool, ...]
    """Whether it stays loaded beside the others."""
    left_bytes: dict[str, int]
    """Free in each pool when all that stay are loaded."""

    @property
    def fits(self) -> bool:
        """Whether all of them are loaded at once."""
        return all(self.resident)

    @property
    def swap_s(self) -> float | None:
        """Seconds to load those that do not stay, once each, from a cold disk; None when no disk's rate is known, 0 when all stay."""
        loads = [plan.speed.load_s for plan, stays in zip(self.plans, self.resident, strict=True) if not stays]
        return None if None in loads else float(sum(load for load in loads if load is not None))


def together(
    models: Sequence[ModelSpec | str], machine: Machine | str | None = None, *, quant: str | None = None, context_tokens: int | None = None
) -> Together:
    """Plans for running `models` beside each other: the largest is placed first, the next on what it leaves, and so on.

    One that has no room beside the larger ones must be loaded in their stead; its plan is that for the whole machine. Raises
    UserError for fewer than two models.
    """
    if len(models) < 2:
        raise UserError("Together takes two models or more.", "sizeup fit qwen3:8b gemma3:4b --together")
    box = resolve_machine(machine)
    specs = [read_model(model) for model in models]
    room, found = box, dict[int, tuple[Plan, bool]]()
    for index in sorted(range(len(specs)), key=lambda i: -specs[i].parameters):
        plan = fit(specs[index], room, quant=quant, context_tokens=context_tokens)[0]
        if plan.fits:
            room = less(room, plan)
            found[index] = (replace(plan, machine=box), True)
        else:
            found[index] = (fit(specs[index], box, quant=quant, context_tokens=context_tokens)[0], False)
    pairs = [found[index] for index in range(len(specs))]
    left = {pool.name: pool.free_bytes for pool in room.pools if pool.name != "disk"}
    return Together(tuple(plan for plan, _ in pairs), tuple(stays for _, stays in pairs), left)


def less(machine: Machine, plan: Plan) -> Machine:
    """The machine with what a plan needs taken from its pools."""
    needed = {name: plan.breakdown.needed_bytes(name) for name in plan.breakdown.by_pool()}
    pools = tuple(replace(pool, free_bytes=max(pool.free_bytes - needed.get(pool.name, 0), 0)) for pool in machine.pools)
    return replace(machine, pools=pools)
