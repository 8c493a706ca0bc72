"""The processors beside the CPU: a list of probes. A new one is one file and one line in PROBES."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sizeup.facts import Source
from sizeup.hardware import Device, Link, Unused

from . import graphics, npu, nvidia, pci, tegra
from .found import Found, together

PROBES: tuple[Callable[[Path], Found], ...] = (nvidia.find, tegra.find, graphics.find, npu.find)
"""Each takes the root of the tree it reads and returns what it found; it never raises: trouble becomes a warning.

Pools are numbered by the caller in the order found (`vram:0`, `vram:1`, …), so a probe numbers its own from 0.
"""


def devices(root: Path) -> Found:
    """Everything that any probe found, its pools numbered in one row. A GPU that shares memory counts only where there is no card.

    That is llama.cpp's own rule (src/llama.cpp, llama_prepare_model_devices): integrated GPUs only if no others were found.
    """
    found = together(probe(root) for probe in PROBES)
    shares = [device for device in found.devices if device.pool == "unified"]
    if not found.pools:
        # A Jetson that NVML has named is not another one by its device tree.
        return found._replace(devices=tuple(_once(shares)))
    beside = tuple(
        Unused(d.name, d.vendor, "gpu", "llama.cpp leaves a GPU without memory of its own out where there is a card", d.source)
        for d in shares
    )
    cards = tuple(device for device in found.devices if device.pool != "unified")
    return _linked(found._replace(devices=cards, unused=(*found.unused, *beside), limits=() if shares else found.limits))


def _once(shares: list[Device]) -> list[Device]:
    by_vendor: dict[str, Device] = {}
    for device in shares:
        by_vendor.setdefault(device.vendor, device)
    return list(by_vendor.values())


def _linked(found: Found) -> Found:
    """With the links between the host's memory and each card's."""
    links = tuple(
        Link(
            "pcie",
            rate,
            ("ram", device.pool),
            Source("derived", f"PCIe {device.pcie_generation}.0 x {device.pcie_lanes} lanes, one way", device.source.date),
        )
        for device in found.devices
        if (rate := pci.pcie_bytes_per_s(device.pcie_generation, device.pcie_lanes)) is not None
    )
    return found._replace(links=(*found.links, *links))
