"""What macOS's system_profiler says of a Mac's GPUs (`-json SPDisplaysDataType SPHardwareDataType`): cores, Metal, a Radeon's own memory."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import replace
from typing import Any

from sizeup.errors import UserError
from sizeup.facts import Source
from sizeup.hardware import Device, Machine, Pool, Unused
from sizeup.units import parse_bytes

COMMAND = ("/usr/sbin/system_profiler", "-json", "SPDisplaysDataType", "SPHardwareDataType")


def with_profile(machine: Machine, output: str) -> Machine:
    """The machine with what system_profiler adds to sysctl; the same machine when the output is not what it should be."""
    try:
        told = json.loads(output)
        displays, hardware = told["SPDisplaysDataType"], told.get("SPHardwareDataType") or [{}]
        entries = [entry for entry in displays if isinstance(entry, dict)]
        overview = hardware[0] if isinstance(hardware[0], dict) else {}
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return replace(machine, warnings=(*machine.warnings, "system_profiler does not answer as expected; the GPU is as sysctl tells."))
    source = Source("read", "system_profiler", datetime.date.today().isoformat())
    board = " ".join(word for key in ("machine_name", "machine_model") if (word := _text(overview, key)))
    if any(device.vendor == "Apple" for device in machine.devices):
        cores = next((count for entry in entries if (count := _cores(entry))), 0)
        devices = tuple(replace(d, cores=cores) if d.vendor == "Apple" else d for d in machine.devices)
        engine = Unused("Apple Neural Engine", "Apple", "npu", "llama.cpp does not use it", source)
        return replace(machine, devices=devices, board=board or machine.board, unused=(*machine.unused, engine))
    cards = [entry for entry in entries if (_text(entry, "spdisplays_vram") and _text(entry, "sppci_bus") != "spdisplays_builtin")]
    pools = tuple(
        Pool(f"vram:{index}", size, size, None, source)
        for index, card in enumerate(cards)
        if (size := _bytes(_text(card, "spdisplays_vram")))
    )
    devices = tuple(
        Device(_text(card, "sppci_model") or "GPU", _vendor(card), "metal", pool.name, "", source)
        for card, pool in zip(cards, pools, strict=False)
    )
    return replace(machine, devices=devices, pools=(*machine.pools, *pools), board=board or machine.board)


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key, "")
    return value.strip() if isinstance(value, str) else ""


def _cores(entry: dict[str, Any]) -> int:
    written = _text(entry, "sppci_cores")
    return int(written) if written.isdigit() and len(written) < 5 else 0


def _bytes(written: str) -> int | None:
    """ "16 GB" of a card are GiB, as memory is sold."""
    try:
        return parse_bytes(re.sub(r"\b([MG])B\b", r"\1iB", written)) or None
    except UserError:
        return None


def _vendor(card: dict[str, Any]) -> str:
    written = f"{_text(card, 'spdisplays_vendor')} {_text(card, 'sppci_model')}".lower()
    return next(
        (shown for key, shown in (("amd", "AMD"), ("radeon", "AMD"), ("nvidia", "NVIDIA"), ("intel", "Intel")) if key in written), ""
    )
