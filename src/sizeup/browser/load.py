"""Whether an engine can load a model in a tab: features, limits of one buffer, address space, what the tab may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from . import limits
from .device import Device
from .model import Model
from .room import Range, gpu_room, tab_room

Answer = Literal["yes", "maybe", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause by its message key, with the figures that clash."""

    key: str
    figures: Mapping[str, int | float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Load:
    """Whether the model can be loaded, where it runs, and what that takes."""

    answer: Answer
    reason: Reason | None
    runs_on: str
    """"gpu" or "cpu"."""
    build: str | None
    """"memory64" or "compat": which of an engine's builds this browser gets."""
    threads: int | None
    peak: Range
    """Bytes that the tab grows by while loading."""
    room: Range
    evidence: tuple[str, ...] = ()
    """Facts that peak and room rest on, by name."""


def load(model: Model, device: Device) -> Load:
    """The whole of the second question: can it be loaded?"""
    place = runs_on(model, device)
    build = compat(model.engine, device)
    threads = wasm_threads(model.engine, device)
    peak, peak_facts = peak_bytes(model, place, build)
    room, room_facts = gpu_room(device) if place == "gpu" else tab_room(device)
    cap, cap_fact = address_space(model, place, build, threads)
    hard = _gpu_reason(model, device) if place == "gpu" else _cpu_reason(model, device, cap)
    answer, reason = _blocked(hard) if hard else _fitting(peak, room, cap, place)
    facts = tuple(dict.fromkeys((*peak_facts, *room_facts, *((cap_fact,) if cap_fact else ()))))
    return Load(answer, reason, place, build, threads, peak, room, facts)


UNKNOWN = ("webgpu_unknown", "features_unknown")
"""Reasons that say that nobody knows, not that it cannot be."""


def _blocked(reason: Reason) -> tuple[Answer, Reason | None]:
    return ("unknown" if reason.key in UNKNOWN else "no"), reason


def runs_on(model: Model, device: Device) -> str:
    """Where the engine would run it: wllama's GPU path falls back silently and is not counted on."""
    if model.engine == "wllama":
        return "cpu"
    if model.engine == "transformers.js" and device.gpu != "adapter" and "shader-f16" not in model.features:
        return "cpu"
    return "gpu"


def compat(engine: str, device: Device) -> str | None:
    """Which of wllama's two builds this browser gets; None for other engines, and where the browser did not say."""
    if engine != "wllama" or device.memory64 is None or device.jspi is None:
        return None
    return "memory64" if device.memory64 and device.jspi else "compat"


def wasm_threads(engine: str, device: Device) -> int | None:
    """Threads that wllama starts by itself: half of them all, and one without isolation."""
    if engine != "wllama" or device.isolated is None:
        return None
    return max(1, (device.threads or 1) // 2) if device.isolated else 1


def peak_bytes(model: Model, place: str, build: str | None) -> tuple[Range, tuple[str, ...]]:
    """Bytes the tab grows by while loading, and the fact that says so."""
    if model.engine == "webllm" and model.memory_bytes is not None:
        name, base = "webllm.peak_stated", model.memory_bytes
    elif model.bytes is None:
        return Range(None, None), ()
    else:
        name = "wllama.peak_compat" if build == "compat" else f"{model.engine}.peak"
        base = model.bytes
    row = limits.fact(name)
    return Range(base * row["low"] + row["fixed_low"], base * row["high"] + row["fixed_high"]), (name,)


def address_space(model: Model, place: str, build: str | None, threads: int | None) -> tuple[int | None, str]:
    """Bytes that the engine's WASM memory can have at most, and the fact that says so; None where weights lie elsewhere."""
    if model.engine == "transformers.js" or build == "compat":
        return limits.value("wasm32_bytes"), "wasm32_bytes"
    if model.engine != "wllama":
        return None, ""
    name = "wllama.threaded_bytes" if threads is not None and threads > 1 else "wasm64_bytes"
    return limits.value(name), name


def _gpu_reason(model: Model, device: Device) -> Reason | None:
    """The first thing in the way of a WebGPU engine."""
    state = {None: "webgpu_unknown", "no-api": "no_webgpu", "no-adapter": "no_adapter", "fallback": "software_gpu"}.get(device.gpu)
    if state:
        return Reason(state)
    if model.features and device.features is None:
        return Reason("features_unknown", {"feature": model.features[0]})
    for feature in model.features:
        if feature not in (device.features or ()):
            return Reason("no_feature", {"feature": feature})
    return _buffer_reason(model, device)


def _buffer_reason(model: Model, device: Device) -> Reason | None:
    tensor, binding, buffer = model.largest_tensor_bytes, device.binding_bytes, device.buffer_bytes
    if model.engine == "webllm":
        needed = limits.value("webllm.workgroup_bytes")
        if device.workgroup_bytes is not None and device.workgroup_bytes < needed:
            return Reason("workgroup_storage", {"need": needed, "have": device.workgroup_bytes})
        binding, buffer = granted("webllm.binding_bytes", binding), granted("webllm.buffer_bytes", buffer)
    if tensor is not None and binding is not None and tensor > binding:
        return Reason("tensor_over_binding", {"need": tensor, "have": binding})
    if tensor is not None and buffer is not None and tensor > buffer:
        return Reason("tensor_over_buffer", {"need": tensor, "have": buffer})
    return None


def granted(name: str, limit: int | None) -> int | None:
    """What an engine gets that asks for one size after the other: the first within the adapter's limit, 0 when none is."""
    if limit is None:
        return None
    return next((step for step in limits.fact(name)["ladder"] if step <= limit), 0)


def _cpu_reason(model: Model, device: Device, cap: int | None) -> Reason | None:
    """The first thing in the way of an engine that runs on the processor."""
    if device.simd is False:
        return Reason("no_simd")
    file, most = model.largest_file_bytes, limits.value("wllama.file_bytes")
    if model.engine == "wllama" and file is not None and file > most:
        return Reason("file_too_large", {"need": file, "have": most})
    if cap is not None and model.bytes is not None and model.bytes > cap:
        return Reason("address_space", {"need": model.bytes, "have": cap})
    return None


def _fitting(peak: Range, room: Range, cap: int | None, place: str) -> tuple[Answer, Reason | None]:
    """What is left when nothing blocks: the peak beside the room, both intervals."""
    if peak.low is None or peak.high is None:
        return "unknown", Reason("bytes_unknown")
    key = "gpu_memory" if place == "gpu" else "tab_memory"
    if room.high is not None and peak.low > room.high:
        return "no", Reason(key, {"need": peak.low, "have": room.high})
    if place == "cpu" and cap is not None and peak.low > cap:
        return "maybe", Reason("address_space", {"need": peak.low, "have": cap})
    if room.low is None:
        return "unknown", Reason(f"{key}_unknown", {"need": peak.high})
    if peak.high > room.low:
        return "maybe", Reason(f"{key}_tight", {"need": peak.high, "have": room.low})
    return "yes", None
