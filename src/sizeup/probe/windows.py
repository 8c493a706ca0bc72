"""Windows: display adapters from the registry, and with one call of PowerShell the memory modules and disks. Never WMI's AdapterRAM.

AdapterRAM has 32 bits and stops at 4 GiB; HardwareInformation.qwMemorySize of the driver's own key has 64.
"""

from __future__ import annotations

import datetime
import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sizeup.facts import Source
from sizeup.hardware import Device, Machine, Modules, Pool
from sizeup.units import show_bytes

from . import dmi, pci
from .found import Found

CLASS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
SIZE = "HardwareInformation.qwMemorySize"
WANTED = ("DriverDesc", "MatchingDeviceId", "DriverVersion", "ProviderName", SIZE)
COMMAND = (
    "powershell",
    "-NoProfile",
    "-NonInteractive",
    "-Command",
    "@{memory=@(Get-CimInstance Win32_PhysicalMemory | Select-Object Capacity,Speed,ConfiguredClockSpeed,SMBIOSMemoryType,DataWidth,"
    "DeviceLocator,BankLabel); system=@(Get-CimInstance Win32_ComputerSystem | Select-Object Manufacturer,Model,HypervisorPresent)} "
    "| ConvertTo-Json -Depth 3 -Compress",
)
"""One question for all: each start of PowerShell costs half a second."""
KINDS = {24: "DDR3", 26: "DDR4", 27: "LPDDR", 28: "LPDDR2", 29: "LPDDR3", 30: "LPDDR4", 34: "DDR5", 35: "LPDDR5"}
"""SMBIOS 3.7, 7.18.2: memory device type."""


def adapters(entries: Iterable[Mapping[str, Any]], memory_bytes: int) -> Found:
    """GPUs of the display class's keys, but NVIDIA's: those NVML tells of. `memory_bytes` is the host's, half of which a GPU may share."""
    pools: list[Pool] = []
    devices: list[Device] = []
    warnings: list[str] = []
    limits: list[str] = []
    seen: set[str] = set()
    source = Source("read", "Windows registry, display class", datetime.date.today().isoformat())
    for entry in entries:
        place = re.search(r"VEN_([0-9A-F]{4})&DEV_([0-9A-F]{4})", str(entry.get("MatchingDeviceId", "")), re.IGNORECASE)
        vendor = pci.VENDORS.get(int(place[1], 16), "") if place else ""
        name = str(entry.get("DriverDesc") or "").strip()
        if not vendor or vendor == "NVIDIA" or not name or name in seen:
            continue  # a remote desktop's adapter, a driver left behind
        seen.add(name)
        own = _size(entry.get(SIZE))
        device = Device(name, vendor, "vulkan", "unified", "", source, driver=str(entry.get("DriverVersion") or ""))
        shared = memory_bytes // 2
        if pci.integrated_name(vendor, name):
            if own is not None and own > shared:
                pools.append(Pool(f"vram:{len(pools)}", own, own, None, source))
                devices.append(replace(device, pool=pools[-1].name))
                continue
            devices.append(replace(device, limit_bytes=shared or None))
            limits.append(f"Windows lets the GPU share half of the memory: {show_bytes(shared)}")
        elif own is None:
            warnings.append(f"{name} does not say how much memory it has; it is left out.")
        else:
            pools.append(Pool(f"vram:{len(pools)}", own, own, None, source))
            devices.append(replace(device, pool=pools[-1].name))
    return Found(tuple(pools), tuple(devices), (), tuple(warnings), (), tuple(dict.fromkeys(limits)))


def _size(value: Any) -> int | None:
    """A REG_QWORD, or a REG_BINARY of eight bytes as some drivers write it."""
    if isinstance(value, bytes):
        value = int.from_bytes(value[:8], "little")
    return value if type(value) is int and 0 < value < 1 << 50 else None


def registry() -> list[dict[str, Any]]:
    """The values of every display adapter's key; nothing when they may not be read."""
    found: list[dict[str, Any]] = []
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, CLASS) as top:
                for index in range(64):
                    name = winreg.EnumKey(top, index)
                    if re.fullmatch(r"\d{4}", name):
                        found.append(_values(winreg, top, name))
        except OSError:  # the end of the list, or no right to read it
            pass
    return found


def _values(winreg: Any, top: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        with winreg.OpenKey(top, name) as key:
            for value in WANTED:
                try:
                    found[value] = winreg.QueryValueEx(key, value)[0]
                except OSError:
                    continue
    except OSError:
        pass
    return found


def with_answer(machine: Machine, output: str) -> Machine:
    """The machine with what PowerShell told of its memory modules and its maker; the same machine when it told nothing of use."""
    try:
        told = json.loads(output)
        rows = [row for row in told["memory"] if isinstance(row, dict)]
        system = next((row for row in told.get("system") or () if isinstance(row, dict)), {})
    except (ValueError, KeyError, TypeError, RecursionError):
        return machine
    board = " ".join(str(system[key]).strip() for key in ("Manufacturer", "Model") if system.get(key))
    return replace(machine, modules=_modules(rows), board=board or machine.board)


def _modules(rows: list[dict[str, Any]]) -> Modules | None:
    told = [
        dmi.Module(
            KINDS.get(row.get("SMBIOSMemoryType", 0), ""),
            _size(row.get("ConfiguredClockSpeed")) or _size(row.get("Speed")) or 0,
            _size(row.get("DataWidth")) or 0,
            f"{row.get('BankLabel') or ''} {row.get('DeviceLocator') or ''}",
        )
        for row in rows
        if _size(row.get("Capacity"))
    ]
    return dmi.modules(told, "Win32_PhysicalMemory")
