"""What the device table specifies of a machine's processor and devices: generation, arithmetic, power. Speeds are told by it."""

from __future__ import annotations

import re
from dataclasses import replace

from sizeup.hardware import Cpu, Device, Machine

from . import table


def specified(machine: Machine) -> Machine:
    """The machine with the family, dense rate and power of all that the table knows; what a device says itself stays."""
    return replace(machine, cpu=_processor(machine), devices=tuple(_specified(device, machine) for device in machine.devices))


def _processor(machine: Machine) -> Cpu | None:
    cpu = machine.cpu
    if cpu is None or cpu.part:
        return cpu
    # A board's processor is called by its core, and by the board in brackets.
    for name in (cpu.name, *re.findall(r"\((.+?)\)", cpu.name), machine.name):
        part = table.processor(name)
        if part is not None:
            return replace(cpu, part=part.name, family=part.family)
    return cpu


def _specified(device: Device, machine: Machine) -> Device:
    pool, cpu = machine.pool(device.pool), machine.cpu
    part = table.exact(device.name, pool.bytes if pool is not None else 0)
    if part is None and device.vendor == "Apple" and cpu is not None:
        part = table.apple(cpu.name, cpu.cores)
    if part is None:
        return device
    return replace(
        device,
        family=device.family or part.family,
        flops_per_s=device.flops_per_s or part.fp16_flops,
        watts=device.watts or part.tdp_watts,
    )
