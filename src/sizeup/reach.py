"""What the devices of a machine reach: measured here, else from published runs, else assumed; each with its interval."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NamedTuple

from . import calibration
from .facts import data_json
from .figure import Number, step
from .hardware import Device, Machine, Pool
from .paces import taught
from .rates import Known, kinds, known, spread
from .roofline import Pace
from .work import Work


class Reach(NamedTuple):
    """A device's rates with the 80 % interval around what they predict."""

    pace: Pace
    low: float
    """Factor on the predicted rate."""
    high: float
    how: str
    """"here" (measured on this machine), "device", "family", "far" or "assumed"; a message key."""
    source: str
    kinds: Mapping[str, str] | None = None
    """Formats by class where it is not the usual table: a measurement has a rate for each format."""


def reach_of(machine: Machine, work: Work, metric: str, mix: str, flash: bool, backend: str | None = None) -> Reach | None:
    """The rates of the device behind a work's pool, for "decode" or "prefill"; None when nobody knows its bandwidth.

    `mix` names the weights for what this machine has learned of such models; `backend` None is the device's usual one.
    """
    pool, device = machine.pool(work.pool) or machine.pool("unified"), device_of(machine, work.pool)
    if pool is None or not pool.bytes_per_s:
        return None
    if device is None:
        return _host(machine, pool, work, metric, mix, flash)
    moe = work.expert_layers > 0
    return _of_device(device.name, device.family, backend or device.kind, pool.bytes_per_s, device.flops_per_s, flash, metric, moe)


@functools.lru_cache(maxsize=256)
def _of_device(
    device: str, family: str, backend: str, bytes_per_s: float, flops_per_s: float | None, flash: bool, metric: str, moe: bool
) -> Reach:
    """One object for equal devices, so that whoever times them sees that they are equal."""
    return _published(known(device, family, backend, bytes_per_s, flops_per_s, flash), metric, moe)


def device_of(machine: Machine, pool: str) -> Device | None:
    """The device that computes what the engine puts into this pool; None for the host.

    On a machine with one memory for all, the engine's card by number is the device of that number.
    """
    if not pool.startswith("vram:"):
        return None
    for device in machine.devices:
        if device.pool == pool:
            return device
    shared = [device for device in machine.devices if device.pool == "unified"]
    number = int(pool.partition(":")[2]) - (len(machine.devices) - len(shared))
    return shared[number] if 0 <= number < len(shared) else None


def _host(machine: Machine, pool: Pool, work: Work, metric: str, mix: str, flash: bool) -> Reach | None:
    cpu, bandwidth = machine.cpu, pool.bytes_per_s or 0.0
    here = cpu.name if cpu is not None and machine.name == "this machine" else ""
    given = pool.bandwidth_source.kind == "given"
    # Who names another memory than this machine's wants to know what that would do to decoding.
    if here and not (given and metric == "decode") and (measured := calibration.kept(here)) is not None:
        return Reach(measured.pace, *measured.spread, "here", measured.how, _by_format(measured.read_bytes_per_s))
    if metric == "prefill":
        return _by_arithmetic(bandwidth, host_flops_per_s(machine))
    if given or pool.bandwidth_source.kind == "measured":
        return _by_share("" if given else here, bandwidth, work, mix)
    part, family = (cpu.part or cpu.name, cpu.family or "CPU") if cpu is not None else ("", "CPU")
    # No vendor states a processor's arithmetic rate, so runs were fitted without one.
    return _published(known(part, family, "cpu", bandwidth, None, flash), metric, work.expert_layers > 0)


def _published(found: Known, metric: str, moe: bool) -> Reach:
    low, high = spread(metric, found.nearness, moe)
    return Reach(found.pace, low, high, found.nearness, f"published: {found.runs} runs")


def _by_format(measured: Mapping[str, float]) -> dict[str, str]:
    """Every format, rearranged ("+") or as stored, by the measured one that speaks for it: itself, its other form, its nearest kin."""
    named = [name for name in measured if name]
    kin = {kinds().get(name.rstrip("+"), ""): name for name in named}
    near = {name: kin[kind] for name, kind in kinds().items() if kind in kin}
    return near | {name.rstrip("+"): name for name in named} | {name: name for name in named}


def _by_share(cpu: str, bandwidth: float, work: Work, mix: str) -> Reach:
    """A host whose memory was measured and nothing else: decoding reaches a share of that, by its own runs of such models, else assumed.

    `cpu` is the processor's name on this machine, "" on another.
    """
    lessons = taught(cpu, mix, int(work.moved_bytes), int(work.tokens), work.depth_tokens) if cpu else ()
    if lessons:
        seen = sorted(lesson.share for lesson in lessons)
        middle = seen[len(seen) // 2]
        margin = data_json("host_rates.json")["lesson_margin"]["factor"]
        low, high = seen[0] / margin / middle, seen[-1] * margin / middle
        newest = max(lesson.date for lesson in lessons)[:10]
        spread = (seen[-1] - seen[0]) / 2 / middle
        how, source = (
            "here",
            f"measured: {len(seen)} runs and rehearsals on this machine, ± {spread:.0%}" + (f", the last {newest}" if newest else ""),
        )
    else:
        row = data_json("host_rates.json")["share_of_measured"]
        middle, how, source = row["middle"], "assumed", row["source"]
        low, high = row["low"] / middle, row["high"] / middle
    reached = bandwidth * middle
    # The share holds everything that a step takes, so nothing else is added.
    return Reach(Pace({"": reached}, None, reached, None, 0.0), low, high, how, source)


def _by_arithmetic(bandwidth: float, flops_per_s: float | None) -> Reach:
    """A host that reads a prompt: its vector units, of which an assumed share is reached."""
    row = data_json("host_rates.json")["arithmetic"]
    middle = row["middle"]
    reached = None if flops_per_s is None else flops_per_s * middle
    pace = Pace({"": bandwidth}, None if reached is None else {"": reached}, bandwidth, reached, 0.0)
    return Reach(pace, row["low"] / middle, row["high"] / middle, "assumed", row["source"])


@step("host_flops")
def host_flops(cores: Number, per_cycle: Number, hertz: Number) -> Number:
    """Single-precision operations per second of all cores' vector units."""
    return cores * per_cycle * hertz


def host_flops_per_s(machine: Machine) -> float | None:
    """What the host's vector units could do: cores, their widest instruction set, an assumed clock; None when neither is known."""
    cpu = machine.cpu
    if cpu is None or not cpu.cores:
        return None
    facts = data_json("host_rates.json")["arithmetic"]
    row = next((row for row in facts["instruction_sets"] if row["feature"] in cpu.features or row["feature"] == cpu.architecture), None)
    if row is None:
        return None
    return float(host_flops(min(cpu.cores, cpu.usable or cpu.cores), row["flops_per_cycle"], facts["assumed_hertz"]))


def link_bytes_per_s(machine: Machine, device: Device) -> tuple[float, float]:
    """The rate between host memory and a card, and the share of it that may be all that copies reach."""
    facts = data_json("host_rates.json")["link"]
    for link in machine.links:
        if {link.ends[0], link.ends[1]} == {"ram", device.pool} and link.bytes_per_s and link.source.kind != "assumed":
            return link.bytes_per_s, float(facts["known_low"])
    return float(facts["assumed_bytes_per_s"]), float(facts["assumed_low"])
