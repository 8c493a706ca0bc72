"""GPUs that sysfs shows, read from recorded-like trees: each vendor's memory is its own, shared memory is not counted twice, the unused is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from sizeup.hardware import Machine
from sizeup.probe import pci
from sizeup.probe.here import this_machine
from tests.trees import plant

GIB = 2**30


def read(name: str, root: Path) -> Machine:
    return this_machine(plant(name, root))


def pools(machine: Machine) -> dict[str, tuple[int, int]]:
    return {pool.name: (pool.bytes, pool.free_bytes) for pool in machine.pools}


def test_an_amd_card(tmp_path: Path) -> None:
    """Memory and what is used of it, the marketing name by revision, gfx version and compute units from KFD, watts, PCIe at full speed."""
    machine = read("amd-card", tmp_path)
    total = 25753026560
    assert pools(machine) == {"ram": (64 * GIB, 60 * GIB), "vram:0": (total, 22 * GIB)}
    (card,) = machine.devices
    assert (card.name, card.kind, card.pool) == ("AMD Radeon RX 7900 XTX", "rocm", "vram:0")
    assert (card.compute_capability, card.cores, card.power_limit_w) == ("gfx1100", 96, 339.0)
    assert (card.address, card.driver, card.pcie_generation, card.pcie_lanes) == ("0000:03:00.0", "amdgpu", 4, 16)
    (link,) = machine.links
    assert (link.kind, link.ends, link.source.kind) == ("pcie", ("ram", "vram:0"), "derived")
    assert link.bytes_per_s == pytest.approx(31.5e9, rel=0.01)
    assert machine.warnings == ()


def test_two_amd_cards_beside_integrated_graphics(tmp_path: Path) -> None:
    """Unlike cards keep their own memory; the processor's own graphics, which llama.cpp leaves out beside a card, are named and not counted."""
    machine = read("amd-two-cards-and-igpu", tmp_path)
    assert pools(machine)["vram:0"] == (17163091968, 17163091968 - 692142080)
    assert pools(machine)["vram:1"] == (8573157376, 8573157376)
    assert [device.compute_capability for device in machine.devices] == ["gfx1030", "gfx1010"]
    (other,) = machine.unused
    assert (other.vendor, other.kind) == ("AMD", "gpu")
    assert "where there is a card" in other.why
    assert machine.pool("unified") is None


def test_strix_halo_shares_the_memory(tmp_path: Path) -> None:
    """An APU with a small carve-out computes on the host's memory, as far as its driver may map it; the processor's name tells which GPU it is."""
    machine = read("amd-strix-halo", tmp_path)
    assert pools(machine) == {"unified": (124 * GIB, 62 * GIB)}
    (device,) = machine.devices
    assert (device.name, device.kind, device.pool, device.limit_bytes) == ("AMD Radeon 8060S", "rocm", "unified", 62 * GIB)
    assert (device.compute_capability, device.cores) == ("gfx1151", 40)
    assert machine.limits == (
        "the GPU may map 62.0 GiB of the memory (amdgpu GTT); 512 MiB that the firmware keeps for it are not counted",
    )
    assert [(other.name, other.kind) for other in machine.unused] == [("AMD Ryzen AI NPU (XDNA)", "npu")]
    assert machine.board == "GMKtec NucBox_EVO-X2"


def test_strix_halo_with_a_large_carve_out(tmp_path: Path) -> None:
    """Where the firmware keeps the larger part for the GPU, that part is its memory and the rest is the host's: neither is counted twice."""
    machine = read("amd-strix-halo-96g", tmp_path)
    assert pools(machine) == {"ram": (31 * GIB, 28 * GIB), "vram:0": (96 * GIB, 96 * GIB - (128 << 20))}
    assert machine.devices[0].limit_bytes is None


def test_an_intel_card_under_xe(tmp_path: Path) -> None:
    """xe tells the memory of every tile; the integrated GPU beside the card has none of its own and is not counted."""
    machine = read("intel-arc-xe", tmp_path)
    assert pools(machine)["vram:0"] == (12 * GIB, 12 * GIB)
    (card,) = machine.devices
    assert (card.name, card.kind, card.driver, card.power_limit_w, card.pcie_lanes) == ("Intel Arc B580", "vulkan", "xe", 190.0, 8)
    assert [other.name for other in machine.unused] == ["Intel UHD Graphics 770"]


def test_intel_cards_under_i915(tmp_path: Path) -> None:
    """A full memory window is the memory; a small one says nothing, so the data sheet is taken or the card left out; Intel's builds tell it."""
    machine = read("intel-arc-i915", tmp_path)
    assert [device.name for device in machine.devices] == ["Intel Arc A770", "Intel Arc A750", "Intel Arc A380"]
    assert [pool.bytes for pool in machine.pools[1:]] == [16 * GIB, 8 * GIB, 6 * GIB]
    assert [pool.source.kind for pool in machine.pools[1:]] == ["read", "published", "read"]
    assert machine.warnings == ("Intel Arc A750 does not say how much memory it has; taken from its data sheet.",)


def test_an_intel_laptop(tmp_path: Path) -> None:
    """Integrated graphics share the host's memory and have no pool of their own, whatever their window; an NPU is named; zram is no memory."""
    machine = read("intel-laptop", tmp_path)
    assert pools(machine) == {"unified": (16 * GIB, 12 * GIB)}
    (device,) = machine.devices
    assert (device.pool, device.limit_bytes, device.pcie_lanes) == ("unified", None, 0)
    assert [(other.name, other.kind, other.why) for other in machine.unused] == [
        ("Intel NPU", "npu", "llama.cpp uses it only in its OpenVINO build")
    ]
    assert machine.swap is not None
    assert (machine.swap.bytes, machine.swap.free_bytes, machine.swap.compressed) == (8 * GIB, 6 * GIB, True)


def test_nvidia_cards_that_nothing_can_use(tmp_path: Path) -> None:
    """A card without a driver, with nouveau, or kept for a guest is named in a warning and never counted; other devices are no GPUs."""
    machine = read("nvidia-without-driver", tmp_path)
    assert machine.devices == ()
    assert machine.warnings == (
        "NVIDIA GeForce RTX 4090 (0000:01:00.0): no driver: it is not counted.",
        "NVIDIA GeForce RTX 3060 Lite Hash Rate (0000:02:00.0): its driver nouveau is not one to compute with: it is not counted.",
        "NVIDIA GeForce RTX 3090 (0000:04:00.0): it is kept for a virtual machine (vfio-pci): it is not counted.",
    )
    assert [other.name for other in machine.unused] == [
        "NVIDIA GeForce RTX 4090",
        "NVIDIA GeForce RTX 3060 Lite Hash Rate",
        "NVIDIA GeForce RTX 3090",
    ]


def test_a_jetson_without_nvml(tmp_path: Path) -> None:
    """The device tree names the board and the chip; its GPU shares the memory."""
    machine = read("jetson-agx-orin", tmp_path)
    (device,) = machine.devices
    assert (device.name, device.kind, device.pool, device.compute_capability) == ("NVIDIA Jetson AGX Orin", "cuda", "unified", "8.7")
    assert pools(machine) == {"unified": (61 * GIB, 55 * GIB)}


def test_a_board_with_gpu_and_npu(tmp_path: Path) -> None:
    """What a board has beside its cores is named, and the memory stays the processor's."""
    machine = read("orange-pi-gpu", tmp_path)
    assert machine.devices == ()
    assert [(other.name, other.kind) for other in machine.unused] == [("Arm Mali", "gpu"), ("Rockchip NPU", "npu")]
    assert pools(machine) == {"ram": (16 * GIB, 14 * GIB)}
    assert machine.board == "Orange Pi 5"


def test_the_slowest_link_on_the_way_counts(tmp_path: Path) -> None:
    """A card of generation 4 with 16 lanes below a port of generation 3 with 4 has 3 and 4, though it idles at generation 1."""
    chain = tmp_path / "sys/devices/pci0000:00"
    for folder, speed, lanes in (
        ("0000:00:01.1", "8.0 GT/s PCIe", "4"),
        ("0000:00:01.1/0000:01:00.0", "16.0 GT/s PCIe", "8"),
        ("0000:00:01.1/0000:01:00.0/0000:02:00.0", "16.0 GT/s PCIe", "16"),
    ):
        (chain / folder).mkdir(parents=True)
        (chain / folder / "max_link_speed").write_text(speed)
        (chain / folder / "current_link_speed").write_text("2.5 GT/s PCIe")
        (chain / folder / "current_link_width").write_text(lanes)
    (chain / folder / "uevent").write_text("DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_ID=1002:744C\nPCI_SLOT_NAME=0000:02:00.0\n")
    (chain / folder / "class").write_text("0x030000\n")
    (tmp_path / "sys/bus/pci/devices").mkdir(parents=True)
    (tmp_path / "sys/bus/pci/devices/0000:02:00.0").symlink_to(chain / folder)
    (card,) = pci.cards(tmp_path)
    assert pci.pcie(tmp_path, card) == (3, 4)
    assert pci.pcie_bytes_per_s(3, 4) == pytest.approx(3.94e9, rel=0.001)


@pytest.mark.parametrize(
    ("vendor", "device", "product", "expected"),
    [
        (0x1002, 0x74A1, "AMD Instinct MI300X OAM", "AMD Instinct MI300X OAM"),
        (0x1002, 0x744C, "\x01\x02\xff", "AMD Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M"),
        (0x8086, 0x56A0, None, "Intel Arc A770"),
        (0x10DE, 0x2204, None, "NVIDIA GeForce RTX 3090"),
        (0x1002, 0xFFFF, None, "AMD 1002:ffff"),
    ],
)
def test_names(vendor: int, device: int, product: str | None, expected: str, tmp_path: Path) -> None:
    """The driver's own product name when it is readable, else the PCI id's, else the numbers."""
    folder = tmp_path / "card"
    folder.mkdir()
    if product is not None:
        (folder / "product_name").write_text(product)
    assert pci.name(tmp_path, pci.Card(vendor, device, "", "", "/card", "")) == expected


def test_newer_names_of_the_system_are_taken(tmp_path: Path) -> None:
    """libdrm's own list, where it is here, knows cards that ours does not."""
    (tmp_path / "usr/share/libdrm").mkdir(parents=True)
    (tmp_path / "usr/share/libdrm/amdgpu.ids").write_text("# comment\n1.0.0\n7777,\tC0,\tAMD Radeon RX 10000\nbroken\n")
    (tmp_path / "card").mkdir()
    (tmp_path / "card/revision").write_text("0xc0\n")
    assert pci.name(tmp_path, pci.Card(0x1002, 0x7777, "amdgpu", "", "/card", "")) == "AMD Radeon RX 10000"
