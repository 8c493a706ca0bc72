"""NVIDIA cards through NVML (the package nvidia-ml-py), when a driver is here. A broken driver is a warning, never a crash."""

from __future__ import annotations

import datetime
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sizeup.facts import ASSUMED, Source
from sizeup.hardware import Device, Pool

from .found import Found

TRACES = ("proc/driver/nvidia/version", "dev/nvidiactl", "dev/dxg", "dev/nvhost-ctrl-gpu", "dev/nvmap")
"""What a driver leaves on Linux, WSL and Jetson; without any the package is not even imported."""


def find(root: Path = Path("/"), nvml: Any = None, environment: Mapping[str, str] = os.environ) -> Found:
    """Every NVIDIA card (or MIG slice) that this process may use. `nvml` stands in for the pynvml module."""
    if nvml is None:
        if not _driver_here(root):
            return Found()
        if importlib.util.find_spec("pynvml") is None:
            # WSL has /dev/dxg without any NVIDIA card, so there the hint may be wrong and is not given.
            here = any((root / trace).exists() for trace in TRACES if trace != "dev/dxg")
            hint = "An NVIDIA driver is here, but not the package that asks it: pip install 'sizeup[gpu]' to see the cards."
            return Found(warnings=(hint,) if here else ())
        try:
            import pynvml
        except Exception as error:
            return Found(warnings=(f"The package nvidia-ml-py does not load: {error}.",))
        nvml = pynvml
    try:
        nvml.nvmlInit()
    except Exception as error:
        return Found(warnings=(f"The NVIDIA driver does not answer: {_words(error)}.",) if _loud(error) else ())
    try:
        return _cards(nvml, environment)
    except Exception as error:
        return Found(warnings=(f"The NVIDIA driver stopped answering: {_words(error)}.",))
    finally:
        _ask(nvml.nvmlShutdown)


def _driver_here(root: Path) -> bool:
    return sys.platform == "win32" or any((root / trace).exists() for trace in TRACES)


def _loud(error: Exception) -> bool:
    """Whether a failure is worth a word; a system without the library simply has no NVIDIA card."""
    return "LibraryNotFound" not in type(error).__name__ and "DriverNotLoaded" not in type(error).__name__


def _cards(nvml: Any, environment: Mapping[str, str]) -> Found:
    pools: list[Pool] = []
    devices: list[Device] = []
    warnings: list[str] = []
    source = Source("read", f"NVML, driver {_ask(nvml.nvmlSystemGetDriverVersion) or 'unknown'}", datetime.date.today().isoformat())
    for index, handle in enumerate(_visible(nvml, environment, warnings)):
        name = _text(_ask(nvml.nvmlDeviceGetName, handle)) or f"NVIDIA card {index}"
        capability = _ask(nvml.nvmlDeviceGetCudaComputeCapability, handle)
        words = f"{capability[0]}.{capability[1]}" if capability else ""
        memory, trouble = _memory(nvml, handle)
        if memory is None and "NotSupported" in trouble:
            # Jetson and GB10: the card has no memory of its own, it shares the host's.
            devices.append(Device(name, "NVIDIA", "cuda", "unified", words, source))
            continue
        if memory is None or memory[0] <= 0:
            warnings.append(f"{name} does not say how much memory it has ({trouble or 'it says none'}); it is left out.")
            continue
        total, free = memory
        if free > total:
            warnings.append(f"{name} says that more is free than it has; taken as all of it.")
            free = total
        rate = _bytes_per_s(nvml, handle)
        pool = Pool(
            f"vram:{len(pools)}",
            total,
            max(free, 0),
            rate,
            source,
            Source("derived", "NVML: memory bus width x highest memory clock x 2", source.date) if rate else ASSUMED,
        )
        pools.append(pool)
        devices.append(Device(name, "NVIDIA", "cuda", pool.name, words, source, others_bytes=_others(nvml, handle)))
    return Found(tuple(pools), tuple(devices), (), tuple(warnings))


def _visible(nvml: Any, environment: Mapping[str, str], warnings: list[str]) -> list[Any]:
    """Handles of the cards, or of the MIG slices of a card that is split, as CUDA_VISIBLE_DEVICES allows."""
    cards = []
    for index in range(int(nvml.nvmlDeviceGetCount())):
        handle = _ask(nvml.nvmlDeviceGetHandleByIndex, index)
        if handle is None:
            warnings.append(f"NVIDIA card {index} does not answer; it is left out.")
            continue
        cards.append((handle, list(_slices(nvml, handle))))
    listed = environment.get("CUDA_VISIBLE_DEVICES")
    if listed is None:
        return [part for handle, slices in cards for part in (slices or [handle])]
    chosen = []
    for entry in (e.strip() for e in listed.split(",")):
        if entry.isdigit() and int(entry) < len(cards):
            handle, slices = cards[int(entry)]
            chosen.append(slices[0] if slices else handle)
            continue
        named = [part for handle, slices in cards for part in (slices or [handle]) if entry and _uuid(nvml, part).startswith(entry)]
        if len(named) != 1:
            break  # CUDA itself stops at the first entry that it does not know
        chosen.append(named[0])
    if len(chosen) < sum(max(1, len(slices)) for _, slices in cards):
        warnings.append(f"CUDA_VISIBLE_DEVICES={listed} leaves {len(chosen)} of {len(cards)} NVIDIA cards to this process.")
    names = {_text(_ask(nvml.nvmlDeviceGetName, handle)) for handle, _ in cards}
    if len(names) > 1 and environment.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID" and any(e.strip().isdigit() for e in listed.split(",")):
        warnings.append("CUDA numbers unlike cards fastest first; set CUDA_DEVICE_ORDER=PCI_BUS_ID to be sure which ones are meant.")
    return chosen


def _slices(nvml: Any, handle: Any) -> Iterator[Any]:
    mode = _ask(nvml.nvmlDeviceGetMigMode, handle)
    if not mode or not mode[0]:
        return
    for index in range(_ask(nvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0):
        part = _ask(nvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, index)
        if part is not None:
            yield part


def _memory(nvml: Any, handle: Any) -> tuple[tuple[int, int] | None, str]:
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        return (int(memory.total), int(memory.free)), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {_words(error)}"


def _bytes_per_s(nvml: Any, handle: Any) -> float | None:
    """Peak bandwidth: every memory that NVML speaks of moves two bits a line and clock at the clock it reports."""
    width, clock = (
        _ask(nvml.nvmlDeviceGetMemoryBusWidth, handle),
        _ask(nvml.nvmlDeviceGetMaxClockInfo, handle, getattr(nvml, "NVML_CLOCK_MEM", 2)),
    )
    return width / 8 * clock * 1e6 * 2 if width and clock else None


def _others(nvml: Any, handle: Any) -> int | None:
    """Bytes that other processes hold on the card; None when the driver does not say (Windows, or inside a container)."""
    held: dict[int, int] = {}
    asked = False
    for question in ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"):
        running = _ask(getattr(nvml, question), handle)
        if running is None:
            continue
        asked = True
        for process in running:
            if process.pid == os.getpid():
                continue
            if process.usedGpuMemory is None:
                return None
            held[process.pid] = max(held.get(process.pid, 0), int(process.usedGpuMemory))
    return sum(held.values()) if asked else None


def _uuid(nvml: Any, handle: Any) -> str:
    return _text(_ask(nvml.nvmlDeviceGetUUID, handle))


def _ask(question: Callable[..., Any], *arguments: Any) -> Any:
    """The answer, or None when the driver does not know the question or fails on it."""
    try:
        return question(*arguments)
    except Exception:
        return None


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__).rstrip(".")
