"""NVIDIA cards through NVML (the package nvidia-ml-py), when a driver is here. A broken driver is a warning, never a crash."""

from __future__ import annotations

import datetime
import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sizeup.facts import ASSUMED, Source
from sizeup.hardware import Device, Link, Pool

from . import pci
from .files import digits
from .found import Found

TRACES = (
    "proc/driver/nvidia/version",
    "dev/nvidiactl",
    "usr/lib/wsl/lib/libnvidia-ml.so.1",
    "dev/dxg",
    "dev/nvhost-ctrl-gpu",
    "dev/nvmap",
)
"""What a driver leaves on Linux, WSL and Jetson; without any the package is not even imported."""
MOST_CARDS = 256
NVLINKS = 18
"""Links that a card has at most (Hopper, Blackwell)."""


def find(root: Path = Path("/"), nvml: Any = None, environment: Mapping[str, str] = os.environ) -> Found:
    """Every NVIDIA card (or MIG slice) that this process may use. `nvml` stands in for the pynvml module."""
    if nvml is None:
        if not _driver_here(root):
            return Found()
        if importlib.util.find_spec("pynvml") is None:
            # WSL has /dev/dxg without any NVIDIA card, so there the hint may be wrong and is not given.
            here = any((root / trace).exists() for trace in TRACES if trace != "dev/dxg")
            hint = (
                "An NVIDIA driver is here, but not the package that asks it: pip install '.[gpu]' in the folder of sizeup to see the cards."
            )
            return Found(warnings=(hint,) if here else ())
        try:
            import pynvml
        except Exception as error:
            return Found(warnings=(f"The package nvidia-ml-py does not load: {error}.",))
        nvml = pynvml
    try:
        nvml.nvmlInit()
    except Exception as error:
        return Found(warnings=_unanswered(root, error))
    try:
        return _cards(nvml, environment)
    except Exception as error:
        return Found(warnings=(f"The NVIDIA driver stopped answering: {_words(error)}.",))
    finally:
        _ask(nvml, "nvmlShutdown")


def _driver_here(root: Path) -> bool:
    return sys.platform == "win32" or any((root / trace).exists() for trace in TRACES)


def _unanswered(root: Path, error: Exception) -> tuple[str, ...]:
    """What to say of a driver that does not start; nothing on a system that simply has no NVIDIA card."""
    if "LibraryNotFound" not in type(error).__name__ and "DriverNotLoaded" not in type(error).__name__:
        return (f"The NVIDIA driver does not answer: {_words(error)}.",)
    silent = [pci.name(root, card) for card in pci.cards(root) if card.vendor == pci.NVIDIA and card.driver == "nvidia"]
    return tuple(f"{name}: its driver is here, but NVML, the library that tells of it, is not; it is not counted." for name in silent)


def _cards(nvml: Any, environment: Mapping[str, str]) -> Found:
    pools: list[Pool] = []
    devices: list[Device] = []
    warnings: list[str] = []
    version = _text(_ask(nvml, "nvmlSystemGetDriverVersion"))
    source = Source("read", f"NVML, driver {version or 'unknown'}", datetime.date.today().isoformat())
    driver = _driver(nvml, version)
    handles = []
    for index, handle in enumerate(_visible(nvml, environment, warnings)):
        name = _text(_ask(nvml, "nvmlDeviceGetName", handle)) or f"NVIDIA card {index}"
        device = _device(nvml, handle, name, driver, source)
        memory, trouble = _memory(nvml, handle)
        if memory is None and "NotSupported" in trouble:
            # Jetson and GB10: the card has no memory of its own, it shares the host's.
            devices.append(device)
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
        handles.append(handle)
        devices.append(replace(device, pool=pool.name, others_bytes=_others(nvml, handle)))
    named = [device for device in devices if device.pool != "unified"]
    return Found(tuple(pools), tuple(devices), bridges(nvml, handles, named, source), tuple(warnings))


def _driver(nvml: Any, version: str) -> str:
    """The driver and the CUDA version that it brings: 13010 is 13.1."""
    cuda = _positive(_ask(nvml, "nvmlSystemGetCudaDriverVersion"))
    words = [f"NVIDIA {version}"] if version else []
    return ", ".join([*words, *([f"CUDA {cuda // 1000}.{cuda % 1000 // 10}"] if cuda else [])])


def _device(nvml: Any, handle: Any, name: str, driver: str, source: Source) -> Device:
    """One card without its memory. A slice is linked and fed as the card that it is part of."""
    card = _ask(nvml, "nvmlDeviceGetDeviceHandleFromMigDeviceHandle", handle) or handle
    capability = _ask(nvml, "nvmlDeviceGetCudaComputeCapability", handle) or _ask(nvml, "nvmlDeviceGetCudaComputeCapability", card)
    known = isinstance(capability, tuple | list) and len(capability) == 2 and all(isinstance(part, int) for part in capability)
    milliwatts = _positive(_ask(nvml, "nvmlDeviceGetEnforcedPowerLimit", card)) or _positive(
        _ask(nvml, "nvmlDeviceGetPowerManagementLimit", card)
    )
    return Device(
        name,
        "NVIDIA",
        "cuda",
        "unified",
        f"{capability[0]}.{capability[1]}" if known else "",
        source,
        driver=driver,
        address=address(nvml, card),
        pcie_generation=_positive(_ask(nvml, "nvmlDeviceGetMaxPcieLinkGeneration", card), 8) or 0,
        pcie_lanes=_positive(_ask(nvml, "nvmlDeviceGetCurrPcieLinkWidth", card), 32)
        or _positive(_ask(nvml, "nvmlDeviceGetMaxPcieLinkWidth", card), 32)
        or 0,
        power_limit_w=milliwatts / 1000 if milliwatts else None,
    )


def address(nvml: Any, card: Any) -> str:
    """Where the card stands on the PCI bus, as sysfs writes it; "" when the driver does not say."""
    return bus(_ask(nvml, "nvmlDeviceGetPciInfo", card))


def bus(info: Any) -> str:
    """NVML writes eight digits of domain where sysfs writes four, and capitals."""
    written = _text(getattr(info, "busId", "")).lower()
    return written[4:] if len(written) == 16 and written.startswith("0000") else written


def bridges(nvml: Any, handles: list[Any], devices: list[Device], source: Source) -> tuple[Link, ...]:
    """NVLink between two of the cards, where links are up and a source says how fast the card's are. Switches are not followed."""
    from sizeup.errors import UserError

    from . import nvlink, table

    pools = {device.address: device.pool for device in devices if device.address}
    found: dict[tuple[str, str], Link] = {}
    for handle, device in zip(handles, devices, strict=True):
        for index in range(NVLINKS if len(pools) > 1 else 0):
            if _ask(nvml, "nvmlDeviceGetNvLinkState", handle, index) != 1:
                continue
            other = pools.get(bus(_ask(nvml, "nvmlDeviceGetNvLinkRemotePciInfo", handle, index)))
            part = table.exact(device.name)
            if other is None or other == device.pool or part is None:
                continue
            ends = (min(device.pool, other), max(device.pool, other))
            try:
                rate, published = nvlink.rate(part.name)
            except UserError:  # links that no source knows the speed of
                continue
            found.setdefault(ends, Link("nvlink", rate, ends, published))
    return tuple(found.values())


def _visible(nvml: Any, environment: Mapping[str, str], warnings: list[str]) -> list[Any]:
    """Handles of the cards, or of the MIG slices of a card that is split, as CUDA_VISIBLE_DEVICES allows."""
    cards = []
    for index in range(min(int(nvml.nvmlDeviceGetCount()), MOST_CARDS)):
        handle = _ask(nvml, "nvmlDeviceGetHandleByIndex", index)
        if handle is None:
            warnings.append(f"NVIDIA card {index} does not answer; it is left out.")
            continue
        cards.append((handle, list(_slices(nvml, handle))))
    listed = environment.get("CUDA_VISIBLE_DEVICES")
    if listed is None:
        return [part for handle, slices in cards for part in (slices or [handle])]
    chosen = []
    for entry in (e.strip() for e in listed.split(",")):
        if digits(entry) and int(entry) < len(cards):
            handle, slices = cards[int(entry)]
            chosen.append(slices[0] if slices else handle)
            continue
        named = [part for handle, slices in cards for part in (slices or [handle]) if entry and _uuid(nvml, part).startswith(entry)]
        if len(named) != 1:
            break  # CUDA itself stops at the first entry that it does not know
        chosen.append(named[0])
    if len(chosen) < sum(max(1, len(slices)) for _, slices in cards):
        warnings.append(f"CUDA_VISIBLE_DEVICES={listed} leaves {len(chosen)} of {len(cards)} NVIDIA cards to this process.")
    names = {_text(_ask(nvml, "nvmlDeviceGetName", handle)) for handle, _ in cards}
    if len(names) > 1 and environment.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID" and any(e.strip().isdigit() for e in listed.split(",")):
        warnings.append("CUDA numbers unlike cards fastest first; set CUDA_DEVICE_ORDER=PCI_BUS_ID to be sure which ones are meant.")
    return chosen


def _slices(nvml: Any, handle: Any) -> Iterator[Any]:
    mode = _ask(nvml, "nvmlDeviceGetMigMode", handle)
    if not isinstance(mode, tuple | list) or not mode or mode[0] != 1:
        return
    for index in range(_positive(_ask(nvml, "nvmlDeviceGetMaxMigDeviceCount", handle), MOST_CARDS) or 0):
        part = _ask(nvml, "nvmlDeviceGetMigDeviceHandleByIndex", handle, index)
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
    width = _positive(_ask(nvml, "nvmlDeviceGetMemoryBusWidth", handle), 1 << 16)
    clock = _positive(_ask(nvml, "nvmlDeviceGetMaxClockInfo", handle, getattr(nvml, "NVML_CLOCK_MEM", 2)), 1 << 17)
    return width / 8 * clock * 1e6 * 2 if width and clock else None


def _others(nvml: Any, handle: Any) -> int | None:
    """Bytes that other processes hold on the card; None when the driver does not say (Windows, or inside a container)."""
    held: dict[int, int] = {}
    asked = False
    for question in ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"):
        running = _ask(nvml, question, handle)
        if not isinstance(running, tuple | list):
            continue
        asked = True
        for process in running:
            if process.pid == os.getpid():
                continue
            used = _positive(process.usedGpuMemory, 1 << 60)
            if used is None:
                return None
            held[process.pid] = max(held.get(process.pid, 0), used)
    return sum(held.values()) if asked else None


def _uuid(nvml: Any, handle: Any) -> str:
    return _text(_ask(nvml, "nvmlDeviceGetUUID", handle))


def _ask(nvml: Any, question: str, *arguments: Any) -> Any:
    """The answer, or None when the driver or the package does not know the question or fails on it."""
    try:
        return getattr(nvml, question)(*arguments)
    except Exception:
        return None


def _positive(value: Any, most: int = 1 << 31) -> int | None:
    """A whole number above 0 and not beyond reason; anything else is as good as no answer."""
    return value if type(value) is int and 0 < value <= most else None


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__).rstrip(".")
