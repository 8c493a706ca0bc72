"""NVIDIA's Jetson boards: the GPU shares the host's memory, and older systems of theirs have no NVML to ask."""

from __future__ import annotations

import datetime
from pathlib import Path

from sizeup.facts import Source, data_json
from sizeup.hardware import Device

from .files import text, word
from .found import Found

COMPATIBLE = "/proc/device-tree/compatible"


def find(root: Path = Path("/")) -> Found:
    """The GPU of a Jetson by its device tree; nothing anywhere else. The caller drops it where NVML has named it already."""
    chips = [chip for chip in (text(root, COMPATIBLE) or "").split("\0") if chip.startswith("nvidia,tegra")]
    if not chips:
        return Found()
    known = data_json("integrated_gpus.json")["tegra"]
    capability = next((known[chip] for chip in chips if chip in known), "")
    board = word(root, "/proc/device-tree/model") or "NVIDIA Jetson"
    name = board.replace(" Developer Kit", "").strip()
    source = Source("read", "/proc/device-tree", datetime.date.today().isoformat())
    return Found(
        devices=(Device(name if "NVIDIA" in name else f"NVIDIA {name}", "NVIDIA", "cuda", "unified", capability, source, driver="nvgpu"),)
    )
