"""This machine, put together from the probes."""

from __future__ import annotations

import platform
import sys
from dataclasses import replace
from pathlib import Path

from sizeup.facts import Source
from sizeup.hardware import Cpu, Device, Machine, Pool
from sizeup.units import show_bytes

from . import bandwidth, disk_read, table
from .container import limits as container_limits
from .cpu import cpu as linux_cpu
from .devices import devices
from .disk import disks
from .files import fields, text
from .found import Found, together
from .memory import ram
from .swap import swap
from .system import board, is_wsl, system


def this_machine(root: Path = Path("/"), measure: bool = False) -> Machine:
    """The machine whose /proc and /sys lie below `root`. `measure` times its memory (a quarter second) and keeps the result.

    What cannot be read is a warning, and its figure is left out rather than zero.
    """
    machine = _linux(root) if sys.platform == "linux" or root != Path("/") else _elsewhere(root)
    if root != Path("/"):
        return machine
    return _with_bandwidth(machine, measure)


def _linux(root: Path) -> Machine:
    limits = container_limits(root)
    processor, cpu_warnings = linux_cpu(root, limits)
    memory, memory_warnings = ram(root, limits)
    found = devices(root)
    places, disk_warnings = disks(root)
    words = []
    total = fields(text(root, "/proc/meminfo")).get("MemTotal", 0)
    if limits.memory_bytes is not None and (limits.memory_bytes < total or not total):
        words.append(limits.memory_words + (f" of {show_bytes(total)}" if total else ""))
    if limits.cpus is not None and limits.cpus < processor.threads:
        words.append(f"{limits.cpu_words} of {processor.threads} threads")
    if is_wsl(root):
        words.append("WSL: memory and cores are what .wslconfig grants, not all of Windows' own")
    warnings = (*limits.warnings, *cpu_warnings, *memory_warnings, *found.warnings, *disk_warnings)
    source = Source("read", "this machine", processor.source.date)
    machine = _with_devices(processor, memory, found, system(root), source)
    return replace(machine, disks=places, limits=(*words, *machine.limits), warnings=warnings, board=board(root), swap=swap(root))


def _with_devices(processor: Cpu, memory: Pool | None, found: Found, name: str, source: Source) -> Machine:
    """The host and what the device probes found; its memory is "unified" where a GPU shares it. Disks and warnings are the caller's."""
    pools: tuple[Pool, ...] = (memory,) if memory else ()
    if any(device.pool == "unified" for device in found.devices):
        pools = tuple(_unified(pool, found.devices) for pool in pools)
    return Machine(
        "this machine",
        processor,
        pools + found.pools,
        found.devices,
        links=found.links,
        system=name,
        limits=found.limits,
        source=source,
        unused=found.unused,
    )


def _unified(pool: Pool, devices: tuple[Device, ...]) -> Pool:
    """The host's memory with a GPU on it, which may be allowed only a part."""
    most = min((device.limit_bytes for device in devices if device.limit_bytes is not None), default=pool.bytes)
    return replace(pool, name="unified", free_bytes=min(pool.free_bytes, most))


def _elsewhere(root: Path) -> Machine:
    from . import elsewhere

    try:
        import psutil

        available: int | None = int(psutil.virtual_memory().available)
        total = int(psutil.virtual_memory().total)
    except Exception:  # psutil raises what the platform raises
        available, total = None, 0
    places, disk_warnings = disks(root)
    if sys.platform == "darwin":
        facts = elsewhere.sysctl()
        processor = elsewhere.mac_cpu(facts)
        pools, gpus, words, warnings = elsewhere.mac_memory(facts, available)
        source = processor.source
        return Machine("this machine", processor, pools, gpus, places, (), "macos", words, (*warnings, *disk_warnings), (), source)
    processor = elsewhere.windows_cpu()
    from . import windows

    found = together([devices(root), windows.adapters(windows.registry(), total)])
    if found.pools:
        found = found._replace(devices=tuple(device for device in found.devices if device.pool != "unified"), limits=())
    memory = Pool("ram", total, available or 0, None, processor.source) if total else None
    trouble = () if total else ("The size of this machine's memory cannot be read.",)
    machine = _with_devices(processor, memory, found, system(root) or platform.system().lower(), processor.source)
    return replace(machine, disks=places, warnings=(*found.warnings, *trouble, *disk_warnings))


def _with_bandwidth(machine: Machine, measure: bool) -> Machine:
    """The machine with the rates of its memories: measured here, else published for the part, else unknown."""
    processor = machine.cpu
    known = bandwidth.kept(processor.name) if processor and not measure else None
    if measure and processor:
        memory = machine.pool("ram") or machine.pool("unified")
        from .sweep import measured_bandwidth

        known = measured_bandwidth(threads=_threads(processor), room_bytes=memory.free_bytes if memory else 1 << 30)
        known = known._replace(cpu=processor.name)
        bandwidth.keep(known)
    return replace(machine, pools=tuple(_rated(pool, machine, known) for pool in machine.pools), disks=disk_read.rated(machine.disks))


def _threads(processor: Cpu) -> int:
    """Threads that fill the memory bus without taking turns: one a core, within the quota."""
    return max(1, min(processor.cores, int(processor.usable)))


def _rated(pool: Pool, machine: Machine, known: bandwidth.Bandwidth | None) -> Pool:
    if pool.bytes_per_s:
        return pool
    # What the processor's cores read says little of what the GPU on the same memory reads.
    if pool.name == "ram" and known is not None:
        return replace(pool, bytes_per_s=known.bytes_per_s, bandwidth_source=known.source)
    device = next((device for device in machine.devices if device.pool == pool.name), None)
    part = table.exact(device.name, pool.bytes) if device else None
    if device and device.vendor == "Apple" and machine.cpu:
        part = table.apple(machine.cpu.name, machine.cpu.cores)
    if part is not None and part.bytes_per_s:
        return replace(pool, bytes_per_s=part.bytes_per_s, bandwidth_source=part.source)
    return pool
