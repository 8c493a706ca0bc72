"""GPUs that the kernel shows in sysfs: one look at the PCI bus for all vendors, and the GPUs of boards that are on no bus."""

from __future__ import annotations

import datetime
from pathlib import Path

from sizeup.facts import Source, data_json
from sizeup.hardware import Unused

from . import amd, intel, pci
from .files import names, settings, text, word
from .found import Found, together

SERVED = {(pci.AMD, "amdgpu"): amd.found, (pci.INTEL, "i915"): intel.found, (pci.INTEL, "xe"): intel.found}
"""Whose files are read, by vendor and driver. NVIDIA's own driver is asked through NVML (nvidia.py)."""


def find(root: Path = Path("/")) -> Found:
    """Every GPU of the vendors known here, and in words each that stands unused."""
    parts: list[Found] = []
    for card in pci.cards(root):
        probe = SERVED.get((card.vendor, card.driver))
        if probe is not None:
            parts.append(probe(root, card))
        elif card.vendor in pci.VENDORS and card.driver != "nvidia" and (card.base == pci.DISPLAY or pci.known(card)):
            parts.append(_without(root, card))  # an accelerator of unknown kind is for npu.py to name
    return together([*parts, _boards(root)])


def _without(root: Path, card: pci.Card) -> Found:
    """A card that nothing can compute on: no driver, or one that only draws, or one that keeps it for a guest."""
    name = pci.name(root, card)
    if card.driver == "vfio-pci":
        why = "it is kept for a virtual machine (vfio-pci): it is not counted"
    elif card.driver:
        why = f"its driver {card.driver} is not one to compute with: it is not counted"
    else:
        why = "no driver: it is not counted"
    source = Source("read", card.folder, datetime.date.today().isoformat())
    return Found(
        warnings=(f"{name} ({card.address or 'PCI'}): {why}.",), unused=(Unused(name, pci.VENDORS[card.vendor], "gpu", why, source),)
    )


def _boards(root: Path) -> Found:
    """GPUs of boards and phones: no build of llama.cpp is known to gain from them, so they are named and not counted."""
    known = data_json("integrated_gpus.json")["boards"] if names(root, "/sys/class/drm") else {}
    found: dict[str, Unused] = {}
    for card in names(root, "/sys/class/drm") if known else ():
        folder = f"/sys/class/drm/{card}/device"
        driver = settings(text(root, f"{folder}/uevent")).get("DRIVER", "")
        if driver in known and word(root, f"{folder}/vendor") is None:
            source = Source("read", folder, datetime.date.today().isoformat())
            why = "the GPU of a board, whose speed nobody measured: it is not counted"
            found.setdefault(known[driver], Unused(known[driver], known[driver].partition(" ")[0], "gpu", why, source))
    return Found(unused=tuple(found.values()))
