"""Graphics cards and other GPUs as sysfs lists them: who made one, which driver drives it, how it is linked. Names from shipped PCI ids."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sizeup.facts import data_bytes, data_json

from .files import digits, hexadecimal, names, number, settings, text, word

AMD, INTEL, NVIDIA = 0x1002, 0x8086, 0x10DE
VENDORS = {AMD: "AMD", INTEL: "Intel", NVIDIA: "NVIDIA"}
ADDRESS = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
DISPLAY, ACCELERATOR = 0x03, 0x12
"""PCI base classes: display controllers, and processing accelerators (Instinct and Gaudi are such)."""
LANE_BYTES_PER_S = {1: 250e6, 2: 500e6, 3: 8e9 / 8 * 128 / 130, 4: 16e9 / 8 * 128 / 130, 5: 32e9 / 8 * 128 / 130, 6: 64e9 / 8 * 242 / 256}
"""One way, after line coding (8b/10b, 128b/130b, then flits of 242 in 256 bytes): PCI Express Base Specifications 1 to 6."""
GENERATIONS = {2.5: 1, 5.0: 2, 8.0: 3, 16.0: 4, 32.0: 5, 64.0: 6}
"""Gigatransfers per second of a lane -> generation."""


class Card(NamedTuple):
    """One GPU or accelerator of the PCI bus."""

    vendor: int
    device: int
    driver: str
    """ "" when none is bound."""
    address: str
    folder: str
    """Its folder in sysfs, as the machine names it."""
    drm: str
    """Its folder under /sys/class/drm; "" without a graphics driver."""
    base: int = DISPLAY
    """DISPLAY or ACCELERATOR."""


def cards(root: Path) -> tuple[Card, ...]:
    """Every card once, in order of address. Two reads a PCI device; nothing of a device's own registers is touched."""
    found: dict[str, Card] = {}
    for name in names(root, "/sys/class/drm"):
        if re.fullmatch(r"card\d+", name):
            folder = f"/sys/class/drm/{name}/device"
            card = _card(root, folder, f"/sys/class/drm/{name}")
            if card is not None:
                found.setdefault(card.address or name, card)
    for address in names(root, "/sys/bus/pci/devices"):
        folder = f"/sys/bus/pci/devices/{address}"
        if address not in found and _base_class(root, folder) in (DISPLAY, ACCELERATOR):
            card = _card(root, folder, "")
            if card is not None:
                found[address] = card._replace(address=address, base=_base_class(root, folder))
    return tuple(found[key] for key in sorted(found))


def _base_class(root: Path, folder: str) -> int:
    return (hexadecimal(root, f"{folder}/class") or 0) >> 16


def _card(root: Path, folder: str, drm: str) -> Card | None:
    event = settings(text(root, f"{folder}/uevent"))
    vendor, _, device = event.get("PCI_ID", "").partition(":")
    try:
        ids = (int(vendor, 16), int(device, 16))
    except ValueError:
        read = (hexadecimal(root, f"{folder}/vendor"), hexadecimal(root, f"{folder}/device"))
        if read[0] is None or read[1] is None:
            return None
        ids = (read[0], read[1])
    address = event.get("PCI_SLOT_NAME", "")
    if not ADDRESS.fullmatch(address):
        address = _real_name(root, folder)
    return Card(*ids, event.get("DRIVER", "") or _driver(root, folder), address, folder, drm)


def _real_name(root: Path, folder: str) -> str:
    name = _resolved(root, folder).name
    return name if ADDRESS.fullmatch(name) else ""


def _driver(root: Path, folder: str) -> str:
    link = root / folder.lstrip("/") / "driver"
    try:
        return link.resolve().name if link.is_symlink() else ""
    except (OSError, RuntimeError):
        return ""


def _resolved(root: Path, folder: str) -> Path:
    try:
        return (root / folder.lstrip("/")).resolve()
    except (OSError, RuntimeError):  # a loop of links
        return root / folder.lstrip("/")


def pcie(root: Path, card: Card) -> tuple[int, int]:
    """(generation, lanes) of the slowest link from the card to the processor; zeros when sysfs does not say.

    The generation is the highest that both ends can do, as an idle card runs a slower one; the lanes are those in use.
    """
    generations, lanes = [], []
    for folder in _way_up(root, card):
        speed = re.match(r"([\d.]+)", word(root, f"{folder}/max_link_speed") or "")
        width = word(root, f"{folder}/current_link_width") or ""
        if speed and _gigatransfers(speed[1]) in GENERATIONS:
            generations.append(GENERATIONS[_gigatransfers(speed[1])])
        if digits(width) and 0 < int(width) <= 32:
            lanes.append(int(width))
    return (min(generations), min(lanes)) if generations and lanes else (0, 0)


def _gigatransfers(written: str) -> float:
    try:
        return float(written)
    except ValueError:
        return 0.0


def _way_up(root: Path, card: Card) -> Iterator[str]:
    """The card's folder and those of the bridges above it: they are its parents where the folder really lies."""
    yield card.folder
    top = _resolved(root, "/")
    for parent in _resolved(root, card.folder).parents:
        if not ADDRESS.fullmatch(parent.name) or not parent.is_relative_to(top):
            break
        yield f"/{parent.relative_to(top)}"


def pcie_bytes_per_s(generation: int, lanes: int) -> float | None:
    """What a link carries one way before packets are framed; None for an unknown one."""
    return LANE_BYTES_PER_S[generation] * lanes if generation in LANE_BYTES_PER_S and lanes else None


def power_limit_w(root: Path, card: Card, file: str) -> float | None:
    """What the card may draw, from this file of its hwmon sensors in microwatts; None when none says."""
    for sensor in names(root, f"{card.folder}/hwmon"):
        limit = number(root, f"{card.folder}/hwmon/{sensor}/{file}")
        if limit is not None and 0 < limit < 10**10:
            return limit / 1e6
    return None


def name(root: Path, card: Card) -> str:
    """What the card is called: the driver's own word, else its PCI id's, else vendor and id."""
    vendor = VENDORS.get(card.vendor, "")
    revision = hexadecimal(root, f"{card.folder}/revision") or 0
    listed = _shipped().get(f"{card.vendor:04x}:{card.device:04x}:{revision:02x}") or _shipped().get(f"{card.vendor:04x}:{card.device:04x}")
    said = word(root, f"{card.folder}/product_name") if card.vendor == AMD else None
    local = _installed(root).get((card.device, revision)) if card.vendor == AMD else None
    chosen = _usable(said) or local or listed
    if not chosen:
        return f"{vendor or 'GPU'} {card.vendor:04x}:{card.device:04x}"
    inside = re.search(r"\[([^\[\]]+)\]\s*$", chosen)
    shown = inside[1] if inside else chosen
    return shown if not vendor or vendor.lower() in shown.lower() else f"{vendor} {shown}"


def known(card: Card) -> bool:
    """Whether the card's PCI id is that of a GPU in the shipped list."""
    return f"{card.vendor:04x}:{card.device:04x}" in _shipped()


def _usable(said: str | None) -> str | None:
    """A product name that a person can read: firmware that knows none leaves zeros, spaces or bytes."""
    return said if said and said.isprintable() and sum(letter.isalpha() for letter in said) > 3 and len(said) < 100 else None


@functools.cache
def _shipped() -> dict[str, str]:
    rows = (row.partition("\t") for row in data_bytes("pci_gpus.tsv").decode().splitlines())
    return {key: name for key, tab, name in rows if tab}


def _installed(root: Path) -> dict[tuple[int, int], str]:
    """libdrm's own list, when it is here: it may be newer than ours."""
    found = {}
    for line in (text(root, "/usr/share/libdrm/amdgpu.ids") or "").splitlines():
        parts = [part.strip() for part in line.split(",", 2)]
        try:
            found[int(parts[0], 16), int(parts[1], 16)] = parts[2]
        except (ValueError, IndexError):
            continue
    return found


def integrated_name(vendor: str, name: str) -> bool:
    """Whether the name is one that only GPUs inside a processor have."""
    return any(
        row["vendor"] == vendor and re.search(row["pattern"], name, re.IGNORECASE) for row in data_json("integrated_gpus.json")["names"]
    )
