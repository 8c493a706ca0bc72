"""Intel GPUs through sysfs: cards that the drivers i915 and xe serve, and GPUs inside the processor, which have no memory of their own.

xe: tile*/physical_vram_size_bytes (intel-gpu-tools, tests/intel/xe_sysfs_tile.c). i915: lmem_total_bytes, which only Intel's own builds of
the driver have; else the size of the card's memory window (BAR 2), which is all of the memory only where the firmware can resize it.
"""

from __future__ import annotations

import datetime
import re
from pathlib import Path

from sizeup.facts import ASSUMED, Source
from sizeup.hardware import Device, Pool

from . import pci, table
from .files import names, size, text
from .found import Found

SMALL_WINDOW_BYTES = 256 << 20
"""The window of a card whose firmware cannot resize it; it says nothing of the memory behind."""
INSIDE = "0000:00:02.0"
"""Where every Intel GPU that is part of a processor stands on the bus."""


def found(root: Path, card: pci.Card) -> Found:
    """One Intel GPU. What a card's driver does not tell is taken from its sheet, and where there is none the card is left out."""
    source = Source("read", f"sysfs of {card.driver}", datetime.date.today().isoformat())
    name = pci.name(root, card)
    generation, lanes = pci.pcie(root, card)
    total = _own(root, card)
    inside = card.address == INSIDE or (total is None and pci.integrated_name("Intel", name))
    device = Device(
        name,
        "Intel",
        "vulkan",
        "unified" if inside else "vram:0",
        "",
        source,
        driver=card.driver,
        address=card.address,
        pcie_generation=0 if inside else generation,
        pcie_lanes=0 if inside else lanes,
        power_limit_w=pci.power_limit_w(root, card, "power1_max"),
    )
    if inside:
        return Found(devices=(device,))
    warnings: list[str] = []
    if total is None:
        part = table.exact(name)
        if part is None or not part.memory_bytes:
            return Found(warnings=(f"{name} does not say how much memory it has; it is left out.",))
        total, source = part.memory_bytes, part.source
        warnings.append(f"{name} does not say how much memory it has; taken from its data sheet.")
    # Neither driver says in sysfs what is used.
    return Found((Pool("vram:0", total, total, None, source, ASSUMED),), (device,), (), tuple(warnings))


def _own(root: Path, card: pci.Card) -> int | None:
    """Bytes of the card's own memory; None when nothing says."""
    tiles = [
        tile
        for name in names(root, card.folder)
        if re.fullmatch(r"tile\d+", name)
        for place in (f"{card.folder}/{name}", f"{card.folder}/{name}/memory")
        if (tile := size(root, f"{place}/physical_vram_size_bytes")) is not None
    ]
    if tiles:
        return sum(tiles)
    for folder in (card.drm, card.folder):
        local = size(root, f"{folder}/lmem_total_bytes") if folder else None
        if local is not None:
            return local
    return _window(root, card)


def _window(root: Path, card: pci.Card) -> int | None:
    """The size of BAR 2: lines of `resource` are "first last flags", one a BAR."""
    if card.address == INSIDE:
        return None
    lines = (text(root, f"{card.folder}/resource") or "").splitlines()
    try:
        first, last, _ = (int(part, 16) for part in lines[2].split())
    except (IndexError, ValueError):
        return None
    window = last - first + 1
    return window if SMALL_WINDOW_BYTES < window < 1 << 44 else None
