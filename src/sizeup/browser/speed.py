"""How fast a model would decode in a tab, as an interval: only from rates that were measured in that very tab."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..facts import data_json
from . import limits
from .device import Device
from .model import Model


@dataclass(frozen=True, slots=True)
class Pace:
    """Tokens a second, lowest and highest; None where a rate or a figure is missing, `why` says which."""

    lower: float | None = None
    upper: float | None = None
    feel: str | None = None
    """The step of data/paces.json in the middle of the two."""
    bound_by: str | None = None
    """"memory" or "compute"."""
    why: str | None = None
    evidence: tuple[str, ...] = ()


def pace(model: Model, device: Device, place: str, build: str | None, threads: int | None) -> Pace:
    """The third question: how fast? Prefill, sampling and waiting for a busy processor are not counted."""
    if model.kind != "chat":
        return Pace(why="does_not_generate")
    if model.engine == "builtin" or (place == "cpu" and model.engine != "wllama"):
        return Pace(why="never_measured")
    if model.token_bytes is None:
        return Pace(why="bytes_unknown")
    if place == "gpu":
        return _on_gpu(model.token_bytes, device)
    if model.active is None:
        return Pace(why="parameters_unknown")
    return _on_cpu(model.token_bytes, model.active, device, build, threads)


def _on_gpu(token_bytes: float, device: Device) -> Pace:
    if device.gpu_read_bytes_per_s is None:
        return Pace(why="not_measured")
    row = limits.fact("gpu_speed_share")
    roof = device.gpu_read_bytes_per_s / token_bytes
    return _pace(roof * row["low"], roof * row["high"], "memory", ("gpu_speed_share",))


def _on_cpu(token_bytes: float, active: int, device: Device, build: str | None, threads: int | None) -> Pace:
    """The slower of reading the weights and computing with them; both rates are of one thread."""
    read, flops = device.wasm_read_bytes_per_s, device.wasm_flops_per_s
    if read is None or flops is None:
        return Pace(why="not_measured")
    row = limits.fact("wasm_compute_share")
    slower = limits.value("wllama.compat_speed") if build == "compat" else 1
    reading = read / token_bytes
    computing = flops / (2 * active)
    lower = min(computing * row["low"], reading) * slower
    # Threads may help or, on a busy machine, hurt: one of them is the lowest that counts, all of them the highest.
    upper = min(computing * row["high"], reading) * slower * (threads or 1)
    bound = "memory" if computing * row["middle"] > reading else "compute"
    facts = ("wasm_compute_share", "wllama.compat_speed") if build == "compat" else ("wasm_compute_share",)
    return _pace(lower, upper, bound, facts)


def _pace(lower: float, upper: float, bound_by: str, facts: tuple[str, ...]) -> Pace:
    return Pace(lower, upper, feeling(math.sqrt(lower * upper)), bound_by, None, facts)


def feeling(tokens_per_s: float) -> str:
    """How such a pace feels to who reads along (data/paces.json)."""
    steps = [row["feeling"] for row in data_json("paces.json")["steps"] if row["from_tokens_per_s"] <= tokens_per_s]
    return str(steps[-1])
