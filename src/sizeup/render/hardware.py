"""Lines of a machine beyond its memory and processor: how cards are linked and fed, modules, swap, what stands unused, who holds memory."""

from __future__ import annotations

from sizeup import calibration
from sizeup.hardware import Device, Disk, Machine, Modules
from sizeup.page import Page
from sizeup.units import show_bandwidth

KINDS = ("nvme", "ssd", "rotational", "card", "virtual", "network", "memory")
"""Kinds of disk that have a text (`disk.KIND`)."""


def device_words(page: Page, device: Device) -> list[str]:
    """What else a driver tells of a device."""
    t = page.texts
    words = []
    if device.cores:
        words.append(t("machine.gpu_cores", cores=device.cores))
    if device.pcie_generation and device.pcie_lanes:
        words.append(f"PCIe {device.pcie_generation}.0 x{device.pcie_lanes}")
    if device.power_limit_w:
        words.append(f"{device.power_limit_w:.0f} W")
    if device.driver:
        words.append(t("machine.driver", driver=device.driver))
    return words


def disk_words(page: Page, disk: Disk) -> list[str]:
    """Filesystem and kind of a disk."""
    words = [disk.filesystem] if disk.filesystem else []
    return words + ([page.texts(f"disk.{disk.kind}")] if disk.kind in KINDS else [])


def more(page: Page, box: Machine) -> list[tuple[str, str]]:
    """Pairs for the list of what was found: modules, swap, board, what stands unused, programs. Nothing where nothing is known."""
    t = page.texts
    found = []
    if box.modules is not None:
        found.append((t("machine.modules"), _modules(page, box.modules)))
    if box.swap is not None:
        words = [t("machine.pool", total=page.bytes(box.swap.bytes), free=page.bytes(box.swap.free_bytes))]
        words += [t("machine.swap_compressed")] if box.swap.compressed else []
        found.append((t("machine.swap"), t("list.comma").join([*words, t("machine.swap_not_counted")])))
    found += [(t(f"machine.unused_{other.kind}"), f"{other.name}{t('list.comma')}{t.sentence(other.why)}") for other in box.unused]
    if box.board:
        found.append((t("machine.board"), box.board))
    if box.name == "this machine" and box.cpu is not None and (rates := calibration.kept(box.cpu.name)) is not None:
        format_ = max(rates.read_bytes_per_s, key=lambda name: (name.startswith("Q4_K"), name))
        rated = {"read": show_bandwidth(rates.read_bytes_per_s[format_]), "flops": f"{rates.flops_per_s.get(format_, 0) / 1e9:,.0f}"}
        found.append((t("machine.calibrated"), t("machine.calibrated_words", date=rates.date, format=format_.rstrip("+"), **rated)))
    if box.programs:
        held = [f"{program.name} {page.bytes(program.resident_bytes)}" for program in box.programs]
        found.append((t("machine.programs"), t("list.comma").join(held)))
    return found


def _modules(page: Page, modules: Modules) -> str:
    t = page.texts
    kind = modules.kind
    if modules.transfers_per_s:
        kind += f"-{modules.transfers_per_s // 1_000_000}" if kind else f"{modules.transfers_per_s // 1_000_000} MT/s"
    words = [kind] if kind else []
    words.append(t("machine.modules_count", count=modules.modules))
    if modules.bytes_per_s:
        words.append(t("machine.modules_rate", rate=show_bandwidth(modules.bytes_per_s)))
    return t("list.comma").join(words)
