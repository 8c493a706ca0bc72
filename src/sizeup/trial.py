"""One way to run a model on a machine, tried with plain numbers: what it claims and what stays free. The search makes thousands.

Only a trial that somebody will see becomes a plan, with its speeds and its command.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from .corrections import corrected
from .engine import Engine
from .errors import TooSmall
from .facts import data_json
from .hardware import Machine
from .model import ModelSpec
from .plan import Breakdown, Claim, Plan, SpeedEstimate
from .throughput import Run, run_of


class Trial(NamedTuple):
    """Exact settings with what they take."""

    model: ModelSpec
    machine: Machine
    engine: Engine
    quant: str | None
    """The mix asked for; None for a file, whose own types decide."""
    settings: Any
    breakdown: Breakdown
    free_bytes: dict[str, int]
    """Room left per pool; negative when it does not fit."""
    exact: bool = True
    """Whether its compute buffers were laid out, not taken from similar settings."""

    @property
    def fits(self) -> bool:
        return all(free >= 0 for free in self.free_bytes.values())

    @property
    def cards_fit(self) -> bool:
        """Whether everything outside of host memory fits."""
        return all(free >= 0 for pool, free in self.free_bytes.items() if pool != "ram")

    @property
    def shortfall_bytes(self) -> int:
        """Bytes missing over all pools; 0 when it fits."""
        return sum(-free for free in self.free_bytes.values() if free < 0)

    def run(self) -> Run:
        return Run(self.machine, self.engine, self.model, self.quant, self.settings, self.breakdown)

    def plan(self, why: str = "", timed: bool = True) -> Plan:
        """The trial as a plan; `timed` False leaves its speeds out."""
        speed = self.run().estimate() if timed else SpeedEstimate(None, None)
        label = self.quant or self.model.mix or "as stored"
        command = self.engine.command(self.model, self.quant, self.settings)
        return Plan(self.model, self.machine, self.engine.name, label, self.settings, self.breakdown, speed, self.free_bytes, command, why)

    @property
    def compute(self) -> tuple[Claim, ...]:
        """Its compute buffers."""
        return tuple(claim for claim in self.breakdown.claims if claim.part == "compute")

    def changed(self, compute: tuple[Claim, ...] | None = None, **changes: Any) -> Trial:
        """The same with other settings; `compute` are the compute buffers if they need not be laid out."""
        return attempt(self.model, self.machine, self.engine, self.quant, replace(self.settings, **changes), compute)


def attempt(
    model: ModelSpec, machine: Machine, engine: Engine, quant: str | None, settings: Any, compute: tuple[Claim, ...] | None = None
) -> Trial:
    """Exact settings, accounted by the engine and taken in by the machine's pools. Raises Refused when the engine would not start,
    unless only memory is short: then what it would take is told, with the engine's reason as a note."""
    try:
        account = engine.account(model, quant, settings, compute)
    except TooSmall as short:
        account = replace(short.breakdown, notes=(short.message, *short.breakdown.notes))
    breakdown = settle(corrected(account, machine.kept_as, engine.name), machine)
    free = {name: (pool.free_bytes if (pool := machine.pool(name)) else 0) - breakdown.needed_bytes(name) for name in breakdown.by_pool()}
    return Trial(model, machine, engine, quant, settings, breakdown, free, compute is None)


def make_plan(
    model: ModelSpec, machine: Machine, engine: Engine, quant: str | None, settings: Any, why: str = "", timed: bool = True
) -> Plan:
    """One plan from exact settings: the engine accounts, the machine's pools take it in. `timed` False leaves its speeds out."""
    return attempt(model, machine, engine, quant, settings).plan(why, timed)


def with_speed(plan: Plan, depth_tokens: int | None = None) -> Plan:
    """The plan with its speeds; `depth_tokens` is what its context holds while it decodes, None an empty context."""
    run = run_of(plan)
    speed = run.estimate()
    if depth_tokens is not None:
        speed = replace(speed, decode=run.decode(depth_tokens, int(plan.settings.sequences)))
    return replace(plan, speed=speed)


def shortfall(plan: Plan) -> int:
    """Bytes missing over all pools; 0 when the plan fits."""
    return sum(-free for free in plan.free_bytes.values() if free < 0)


def settle(breakdown: Breakdown, machine: Machine) -> Breakdown:
    """The engine's pools on this machine: with unified memory the host's and the device's claims share one pool.

    Cards of other machines that are joined to it keep their own.
    """
    if not machine.nodes and (machine.pool("ram") or not machine.pool("unified")):
        return breakdown
    claims = (claim if machine.pool(claim.pool) else replace(claim, pool="unified") for claim in breakdown.claims)
    return replace(breakdown, claims=tuple(_as_lent(claim, machine) for claim in claims))


def _as_lent(claim: Claim, machine: Machine) -> Claim:
    """What is computed on another machine's card was never held against the engine."""
    if claim.part != "compute" or not any(device.node and device.pool == claim.pool for device in machine.devices):
        return claim
    return replace(claim, within=max(claim.within, data_json("networks.json")["compute_within"]["share"]))
