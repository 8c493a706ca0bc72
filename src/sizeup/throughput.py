"""How fast, simply: bytes that one decoded token moves, over the bandwidth of where they lie. An interval, never a point.

Decode and prefill are two tasks. Decode reads every active weight and the cache once per token, so memory bandwidth
bounds it; prefill is bound by arithmetic, and nobody here has measured that yet, so it is None. (Named so because
`sizeup.speed` is a public function of its own.)
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from .facts import data_json
from .figure import Number, most, step
from .hardware import Machine, Pool
from .paces import shares
from .plan import Breakdown, Plan, Speed, SpeedEstimate

MARGIN = 1.25
"""How far beyond its own measured shares a machine's decoding may lie with another model: assumed."""


class Efficiency(NamedTuple):
    """The share of bandwidth that decoding reaches on one kind of device."""

    low: float
    middle: float
    high: float
    source: str
    assumed: bool


@functools.cache
def efficiency(kind: str, basis: str) -> Efficiency | None:
    """The share for a backend kind and a bandwidth known by `basis` ("published" or "measured"); None when there is no data."""
    for row in data_json("decode_efficiency.json")["rows"]:
        if row["kind"] == kind and row["basis"] == basis:
            return Efficiency(row["low"], row["middle"], row["high"], row["source"], row["runs"] == 0)
    return None


@step("moved_per_token")
def moved_bytes(weights_bytes: Number, active: Number, parameters: Number, cache_bytes: Number, state_bytes: Number) -> Number:
    """Bytes read per decoded token at a full context: the active share of the weights, the whole cache and the state.

    Not counted: activations, which stay in the processor's caches at batch 1.
    """
    return weights_bytes * active // parameters + cache_bytes + state_bytes


def moved_in(breakdown: Breakdown, pool: str, active: Number, parameters: Number) -> Number:
    """Bytes that one decoded token reads in this pool."""
    weights, repacked, cache, state = (breakdown.kept_bytes(part, pool) for part in ("weights", "repacked", "cache", "state"))
    return moved_bytes(weights + repacked, active, most(parameters, 1), cache, state)


def estimate(machine: Machine, breakdown: Breakdown, active: int, parameters: int, quant: str = "") -> SpeedEstimate:
    """Decode speed with a full context: the times of all pools add up, since layers run one after another.

    None when any pool's bandwidth is unknown. Load time needs a disk speed; None when the disk was not measured.
    """
    slow = fast = middle = 0.0
    slowest: tuple[float, str] = (0.0, "")
    basis: list[str] = []
    for name in breakdown.by_pool():
        pool = machine.pool(name)
        if pool is None or not pool.bytes_per_s:
            return SpeedEstimate(None, None, _load_s(machine, breakdown))
        moved = int(moved_in(breakdown, name, active, parameters))
        share = share_of(machine, pool, quant, moved)
        if share is None:
            return SpeedEstimate(None, None, _load_s(machine, breakdown))
        seconds = moved / pool.bytes_per_s
        slow, middle, fast = slow + seconds / share.low, middle + seconds / share.middle, fast + seconds / share.high
        slowest = max(slowest, (seconds, name))
        basis.append(f"{pool.bytes_per_s / 1e9:.0f} GB/s {name}, {_basis(pool)}")
    if middle <= 0:
        return SpeedEstimate(None, None, _load_s(machine, breakdown))
    decode = Speed(1 / middle, 1 / slow, 1 / fast, f"memory:{slowest[1]}", "; ".join(basis))
    return SpeedEstimate(None, decode, _load_s(machine, breakdown))


def share_of(machine: Machine, pool: Pool, quant: str = "", moved_bytes: int = 0) -> Efficiency | None:
    """The share of this pool's bandwidth that decoding reaches; None when there is no data for its device.

    On this machine counts what its own runs and rehearsals of such models reached, with a margin.
    """
    kind, basis = _kind(machine, pool.name), _basis(pool)
    if kind == "cpu" and basis == "measured" and machine.cpu is not None and (seen := shares(machine.cpu.name, quant, moved_bytes)):
        source = f"measured: {len(seen)} runs and rehearsals on this machine"
        return Efficiency(min(seen) / MARGIN, sorted(seen)[len(seen) // 2], max(seen) * MARGIN, source, False)
    return efficiency(kind, basis)


def reached(plan: Plan, tokens_per_s: float) -> tuple[float, int] | None:
    """The share of host bandwidth that a measured decode rate means for this plan, and the bytes it read a token.

    None where the bandwidth is not known, or several memories were read.
    """
    pools = plan.breakdown.by_pool()
    pool = plan.machine.pool(next(iter(pools)))
    if len(pools) != 1 or pool is None or not pool.bytes_per_s:
        return None
    moved = int(moved_in(plan.breakdown, pool.name, plan.model.active_parameters, plan.model.parameters))
    return float(tokens_per_s * moved / pool.bytes_per_s), moved


def _basis(pool: Pool) -> str:
    return "measured" if pool.bandwidth_source.kind == "measured" else "published"


def _kind(machine: Machine, pool: str) -> str:
    return next((device.kind for device in machine.devices if device.pool == pool), "cpu")


def _load_s(machine: Machine, breakdown: Breakdown) -> float | None:
    speed = next((disk.bytes_per_s for disk in machine.disks if disk.bytes_per_s), None)
    return int(breakdown.bytes("weights")) / speed if speed else None
