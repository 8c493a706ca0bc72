"""AMD GPUs through amdgpu's files in sysfs and KFD's topology: cards with memory of their own, and APUs that share the host's.

amdgpu's files: Documentation/gpu/amdgpu/driver-misc.rst of Linux (mem_info_*), hwmon in thermal.rst; KFD's: kfd_topology.c.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path

from sizeup.facts import Source
from sizeup.hardware import Device, Pool
from sizeup.units import show_bytes

from . import pci
from .files import fields, names, size, text, word
from .found import Found

NODES = "/sys/class/kfd/kfd/topology/nodes"


def found(root: Path, card: pci.Card) -> Found:
    """One AMD GPU that amdgpu drives. On an APU the larger of its two shares counts: memory the firmware carved out, or the GTT."""
    source = Source("read", "sysfs of amdgpu", datetime.date.today().isoformat())
    name = pci.name(root, card)
    total, used = size(root, f"{card.folder}/mem_info_vram_total"), size(root, f"{card.folder}/mem_info_vram_used", 0)
    shared = size(root, f"{card.folder}/mem_info_gtt_total")
    node = _node(root, card)
    generation, lanes = pci.pcie(root, card)
    device = Device(
        name,
        "AMD",
        "rocm" if node else "vulkan",
        "vram:0",
        _gfx(node.get("gfx_target_version", 0)),
        source,
        driver="amdgpu",
        address=card.address,
        pcie_generation=generation,
        pcie_lanes=lanes,
        power_limit_w=pci.power_limit_w(root, card, "power1_cap"),
        cores=node.get("simd_count", 0) // max(node.get("simd_per_cu", 0), 1) if node.get("simd_count", 0) < 1 << 16 else 0,
    )
    if is_apu(root, card, name) and (shared or 0) > (total or 0):
        return _shares(root, device, total, shared)
    if total is None:
        return Found(warnings=(f"{name} does not say how much memory it has; it is left out.",))
    warnings: list[str] = []
    if used is None:
        warnings.append(f"{name} does not say how much of its memory is used; taken as unused.")
    elif used > total:
        warnings.append(f"{name} says that more of its memory is used than it has; taken as all of it.")
    pool = Pool("vram:0", total, max(total - (used or 0), 0), None, source)
    return Found((pool,), (device,), (), tuple(warnings))


def _shares(root: Path, device: Device, carved: int | None, shared: int | None) -> Found:
    """An APU on the host's memory: what the driver lets it map (the GTT) and the part that the firmware keeps for it."""
    named = re.search(r"w/ (Radeon .+)", _processor(root))
    name = f"AMD {named[1].strip()}" if named else device.name
    words = f"the GPU may map {show_bytes(shared or 0)} of the memory (amdgpu GTT)"
    if carved:
        words += f"; {show_bytes(carved)} that the firmware keeps for it are not counted"
    inside = replace(device, name=name, pool="unified", limit_bytes=shared, pcie_generation=0, pcie_lanes=0)
    return Found(devices=(inside,), limits=(words,))


def _processor(root: Path) -> str:
    """The processor's own name: AMD's tell the GPU inside it."""
    return next((line for line in (text(root, "/proc/cpuinfo") or "").splitlines() if line.startswith("model name")), "")


def is_apu(root: Path, card: pci.Card, name: str) -> bool:
    """Whether the GPU lies inside the processor: by the form of its metrics, by a voltage that only APUs have, else by its name."""
    try:
        with (root / card.folder.lstrip("/") / "gpu_metrics").open("rb") as file:
            header = file.read(4)
    except (OSError, ValueError):
        header = b""
    if len(header) == 4 and header[2] in (1, 2, 3):
        # metrics_table_header: structure size (2 bytes), format, content. Format 1 is of cards, 2 and 3 of APUs (kgd_pp_interface.h).
        return header[2] != 1
    for sensor in names(root, f"{card.folder}/hwmon"):
        if word(root, f"{card.folder}/hwmon/{sensor}/in1_label") == "vddnb":
            return True
    return pci.integrated_name("AMD", name)


def _node(root: Path, card: pci.Card) -> dict[str, int]:
    """KFD's facts of the card, found by its PCI place; empty when ROCm's driver does not serve it."""
    place = re.fullmatch(r"([0-9a-f]+):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])", card.address)
    alike = []
    for name in names(root, NODES):
        facts = fields(text(root, f"{NODES}/{name}/properties"))
        if facts.get("vendor_id") != pci.AMD or not facts.get("simd_count") or facts.get("device_id") != card.device:
            continue
        alike.append(facts)
        if place and facts.get("domain", 0) == int(place[1], 16):
            bus = int(place[2], 16) << 8 | int(place[3], 16) << 3 | int(place[4])
            if facts.get("location_id") == bus:
                return facts
    return alike[0] if alike and not place else {}


def _gfx(version: int) -> str:
    """110501 -> "gfx1151": major, minor and stepping in decimal pairs; the stepping is written in hexadecimal."""
    major, minor, stepping = version // 10000, version // 100 % 100, version % 100
    return f"gfx{major}{minor:x}{stepping:x}" if 6 < major < 100 and minor < 16 and stepping < 16 else ""
