"""What rocm-smi tells where sysfs told nothing: AMD cards of a container that sees /dev/kfd but not amdgpu's files."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sizeup.facts import Source
from sizeup.hardware import Device, Machine, Pool

COMMAND = ("rocm-smi", "--showproductname", "--showmeminfo", "vram", "--showbus", "--json")
MOST_BYTES = 1 << 50


def with_answer(machine: Machine, asked: Callable[[Sequence[str]], str]) -> Machine:
    """The machine with the AMD cards that rocm-smi names, when no other probe found any."""
    if any(device.vendor == "AMD" for device in machine.devices):
        return machine
    first = sum(pool.name.startswith("vram:") for pool in machine.pools)
    pools, devices = parse(asked(COMMAND), first)
    return replace(machine, pools=(*machine.pools, *pools), devices=(*machine.devices, *devices)) if pools else machine


def parse(output: str, first: int = 0) -> tuple[tuple[Pool, ...], tuple[Device, ...]]:
    """The cards of its JSON: "card0": {"VRAM Total Memory (B)": "21458059264", …}. A card whose memory is no number is left out."""
    try:
        told = json.loads(output)
    except (ValueError, RecursionError):
        return (), ()
    pools: list[Pool] = []
    devices: list[Device] = []
    source = Source("read", "rocm-smi", datetime.date.today().isoformat())
    for name, card in told.items() if isinstance(told, dict) else ():
        if not isinstance(card, dict) or not str(name).startswith("card"):
            continue
        total, used = _bytes(card, "VRAM Total Memory (B)"), _bytes(card, "VRAM Total Used Memory (B)")
        if not total:
            continue
        pool = Pool(f"vram:{first + len(pools)}", total, max(total - (used or 0), 0), None, source)
        pools.append(pool)
        shown = str(card.get("Card Series") or card.get("Card series") or card.get("Device Name") or name)
        devices.append(
            Device(
                shown if "AMD" in shown else f"AMD {shown}",
                "AMD",
                "rocm",
                pool.name,
                str(card.get("GFX Version") or ""),
                source,
                driver="amdgpu",
                address=str(card.get("PCI Bus") or "").lower(),
            )
        )
    return tuple(pools), tuple(devices)


def _bytes(card: dict[str, Any], key: str) -> int | None:
    value = card.get(key)
    return int(value) if isinstance(value, str) and value.isdigit() and len(value) < 17 and int(value) < MOST_BYTES else None
