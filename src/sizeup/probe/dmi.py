"""Memory modules: as `dmidecode -t memory` prints them where it may, else what the kernel's EDAC knows, which is their kind and not their speed."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sizeup.facts import Source
from sizeup.hardware import Modules

from .files import names, word

FASTEST_MTS = 100_000
"""A faster module is a misread field."""

SOCKET = r"(P\d+|CPU\d+|Node\d+|Controller\d+)"
"""What a locator names before the channel: channels of two sockets or controllers are different ones."""


class Module(NamedTuple):
    """One memory module (or one package of soldered memory) that is in place."""

    kind: str
    mts: int
    """Million transfers a second as configured; 0 when not told."""
    bits: int
    """Width of its data path."""
    place: str
    """Its locators, which mostly name its channel."""


def parse(output: str) -> tuple[Module, ...]:
    """The modules in place of an output of `dmidecode -t memory` (SMBIOS type 17)."""
    found = []
    for block in re.split(r"\n\s*\n", output):
        if "Memory Device" not in block.splitlines()[:3] and "\nMemory Device\n" not in f"\n{block}\n":
            continue
        told = {name.strip(): value.strip() for line in block.splitlines() for name, colon, value in [line.partition(":")] if colon}
        if not re.match(r"[1-9]\d* [MGT]i?B", told.get("Size", "")):
            continue  # "No Module Installed", "Unknown"
        kind = told.get("Type", "")
        found.append(
            Module(
                kind if re.fullmatch(r"[A-Z0-9]*DDR\d?\w*|HBM\d?\w*", kind) else "",
                _leading(told.get("Configured Memory Speed") or told.get("Configured Clock Speed") or told.get("Speed", "")),
                _leading(told.get("Data Width", "")),
                f"{told.get('Bank Locator', '')} {told.get('Locator', '')}",
            )
        )
    return tuple(found)


def _leading(words: str) -> int:
    """ "5600 MT/s" -> 5600; "Unknown" -> 0."""
    found = re.match(r"(\d{1,9})\b", words)
    return int(found[1]) if found else 0


def modules(found: Sequence[Module], where: str) -> Modules | None:
    """The modules together: the slowest sets the pace of all. None without any.

    The rate counts one module of each channel that is named; several on one channel share its wires.
    """
    if not found:
        return None
    speeds = [module.mts for module in found if 0 < module.mts <= FASTEST_MTS]
    slowest = min(speeds, default=0)
    channels: dict[str, int] = {}
    for module in found:
        name = _channel(module.place)
        channels[name] = max(channels.get(name, 0), module.bits)
    known = slowest and "" not in channels and all(0 < bits <= 1024 for bits in channels.values())
    rate = sum(channels.values()) / 8 * slowest * 1e6 if known else None
    kinds = dict.fromkeys(module.kind for module in found if module.kind)
    return Modules(" + ".join(kinds), len(found), slowest * 1_000_000, rate, Source("read", where, datetime.date.today().isoformat()))


def _channel(place: str) -> str:
    """The channel in a locator as firmware writes it: "P0 CHANNEL A", "Controller0-ChannelA-DIMM0", "DIMM_A1", "BANK 0"; "" when none does."""
    channel = re.search(r"channel[\W_]*([A-Z0-9])", place, re.IGNORECASE) or re.search(r"DIMM[\W_]?([A-H])\d?\b", place, re.IGNORECASE)
    if channel is None:
        return ""
    socket = re.search(SOCKET, place, re.IGNORECASE)
    return f"{socket[1] if socket else ''} {channel[1]}".upper()


def edac(root: Path) -> Modules | None:
    """The modules as EDAC lists them under /sys/devices/system/edac/mc; None where no such driver is loaded."""
    top = "/sys/devices/system/edac/mc"
    kinds = [
        word(root, f"{top}/{controller}/{module}/dimm_mem_type") or ""
        for controller in names(root, top)
        if re.fullmatch(r"mc\d+", controller)
        for module in names(root, f"{top}/{controller}")
        if re.fullmatch(r"(dimm|rank)\d+", module) and (word(root, f"{top}/{controller}/{module}/size") or "0") not in ("0", "0 MB")
    ]
    found = [Module(kind[1] if (kind := re.search(r"((?:LP)?DDR\d)", written)) else "", 0, 0, "") for written in kinds]
    return modules(found, "EDAC")
