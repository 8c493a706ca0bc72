"""The processors beside the CPU: a list of probes, one a vendor. A new vendor is one file and one line in PROBES."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sizeup.hardware import Device, Link, Pool

from . import nvidia
from .found import Found

PROBES: tuple[Callable[[Path], Found], ...] = (nvidia.find,)
"""Each takes the root of the tree it reads and returns what it found; it never raises: trouble becomes a warning.

Pools are numbered by the caller in the order found (`vram:0`, `vram:1`, …), so a probe numbers its own from 0. To come:
amd (sysfs mem_info_vram_total, KFD), intel (xe and i915), Apple on Linux, Ascend, integrated GPUs.
"""


def devices(root: Path) -> Found:
    """Everything that any probe found, its pools renumbered in one row."""
    pools: list[Pool] = []
    found: list[Device] = []
    links: list[Link] = []
    warnings: list[str] = []
    for probe in PROBES:
        one = probe(root).renumbered(len(pools))
        pools += one.pools
        found += one.devices
        links += one.links
        warnings += one.warnings
    return Found(tuple(pools), tuple(found), tuple(links), tuple(warnings))
