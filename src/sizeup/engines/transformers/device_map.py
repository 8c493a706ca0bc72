"""Where accelerate puts a model's modules: on GPUs in order, then in host memory, then on the disk.

Source: transformers 5.23.0, integrations/accelerate.py (get_max_memory, get_balanced_memory, infer_auto_device_map): modules are
taken in order and never go back to a device that was left; blocks are not cut; the first GPU and the host keep room for the largest
module that is still to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...errors import Refused
from ...facts import data_json
from .formats import Format
from .settings import Settings
from .weights import Module

CPU, DISK = "cpu", "disk"
Device = int | str


class Placed(NamedTuple):
    """The device of each module."""

    modules: tuple[Module, ...]
    devices: tuple[Device, ...]

    def bytes(self, device: Device) -> int:
        return sum(module.bytes for module, where in zip(self.modules, self.devices, strict=True) if where == device)

    def layers(self) -> dict[int, Device]:
        """Block -> the device that holds its weights."""
        return {module.layer: where for module, where in zip(self.modules, self.devices, strict=True) if module.layer >= 0}

    @property
    def first(self) -> Device:
        """Where modules that are fetched from host memory or disk run."""
        return 0 if any(isinstance(where, int) for where in self.devices) else CPU


def placed(modules: Sequence[Module], settings: Settings, format: Format) -> Placed:
    """The device map of these modules.

    Raises Refused where bitsandbytes would, with its reason.
    """
    if not settings.gpus:
        return Placed(tuple(modules), (CPU,) * len(modules))
    if settings.device_map == "none" or settings.gpu_free_bytes is None:
        where = _even(modules, settings.gpus) if settings.device_map != "none" else (0,) * len(modules)
        return Placed(tuple(modules), where)
    found = tuple(infer([module.counted for module in modules], limits(modules, settings, format)))
    if format.linear and {CPU, DISK} & set(found):
        raise Refused(
            "transformers: Some modules are dispatched on the CPU or the disk. Make sure you have enough GPU RAM to fit the quantized model.",
            "a smaller quantisation, more GPU memory, or BF16, which may be offloaded",
        )
    return Placed(tuple(modules), found)


def _even(modules: Sequence[Module], gpus: int) -> tuple[Device, ...]:
    """Nobody said how much is free: as if there were no end to it, balanced."""
    share, found, done = sum(module.bytes for module in modules) / gpus, [], 0.0
    for module in modules:
        found.append(min(int((done + module.bytes / 2) / share), gpus - 1) if share else 0)
        done += module.bytes
    return tuple(found)


def limits(modules: Sequence[Module], settings: Settings, format: Format) -> dict[Device, float]:
    """Bytes that each device may be given, in the order they are filled."""
    facts = data_json("transformers.json")["device_map"]
    free = settings.gpu_free_bytes or ()
    most: dict[Device, float] = {index: float(bytes) for index, bytes in enumerate(free)}
    most[CPU] = float("inf") if settings.ram_free_bytes is None else settings.ram_free_bytes * facts["cpu_share"]
    if settings.device_map == "auto":
        used = [index for index, bytes in enumerate(free) if bytes > 0]
        if len(used) == 1:
            most[used[0]] *= facts["single_gpu_share"]
        elif used:
            widest = max((module.counted for module in modules if not module.name.startswith("tower.")), default=0)
            each = sum(module.counted for module in modules) // len(used) + int(facts["balance_buffer"] * widest)
            for index in used[:-1]:
                most[index] = min(each, most[index])
    if format.linear:
        most = {device: bytes * facts["quantised_share"] for device, bytes in most.items()}
    return most


def infer(sizes: Sequence[int], most: dict[Device, float]) -> list[Device]:
    """The device of each module by first fit in order. Room for the largest module to come is kept on the first GPU and on the host."""
    devices: list[Device] = [*most, DISK]
    reserving: set[Device] = {devices[0], CPU}
    used = dict.fromkeys(devices, 0.0)
    found: list[Device] = []
    current = 0
    for index, size in enumerate(sizes):
        largest = max(sizes[index + 1 :], default=0)
        while True:
            device = devices[current]
            if device == DISK:
                break
            room = most[device] - (largest if device in reserving else 0)
            if used[device] + size <= room:
                break
            current += 1
        used[devices[current]] += size
        found.append(devices[current])
    return found
