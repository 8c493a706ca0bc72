"""NVIDIA cards through a stand-in for NVML: what it says is used, what it cannot say is left out with a warning, nothing crashes."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sizeup.probe import nvidia
from sizeup.probe.devices import devices
from sizeup.probe.here import this_machine
from tests.trees import plant

GIB = 2**30


class NVMLError_NotSupported(Exception):
    """As pynvml names it."""


class NVMLError_LibraryNotFound(Exception):
    """As pynvml names it."""


def card(name: str, total: int, free: int, uuid: str = "GPU-0", **more: Any) -> SimpleNamespace:
    return SimpleNamespace(
        **(
            {
                "name": name,
                "total": total,
                "free": free,
                "uuid": uuid,
                "capability": (8, 9),
                "width": 384,
                "clock": 10501,
                "processes": [],
                "slices": [],
            }
            | more
        )
    )


class Nvml:
    """As much of pynvml as the probe asks; a value that is an exception is raised."""

    NVML_CLOCK_MEM = 2

    def __init__(self, *cards: SimpleNamespace) -> None:
        self.cards = cards
        self.closed = False

    def nvmlInit(self) -> None: ...

    def nvmlShutdown(self) -> None:
        self.closed = True

    def nvmlSystemGetDriverVersion(self) -> bytes:
        return b"580.142"

    def nvmlDeviceGetCount(self) -> int:
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any:
        return self.cards[index]

    def nvmlDeviceGetName(self, handle: Any) -> Any:
        return _told(handle.name)

    def nvmlDeviceGetUUID(self, handle: Any) -> Any:
        return _told(handle.uuid)

    def nvmlDeviceGetCudaComputeCapability(self, handle: Any) -> Any:
        return _told(handle.capability)

    def nvmlDeviceGetMemoryInfo(self, handle: Any) -> Any:
        return SimpleNamespace(total=_told(handle.total), free=_told(handle.free))

    def nvmlDeviceGetMemoryBusWidth(self, handle: Any) -> Any:
        return _told(handle.width)

    def nvmlDeviceGetMaxClockInfo(self, handle: Any, kind: int) -> Any:
        assert kind == self.NVML_CLOCK_MEM
        return _told(handle.clock)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: Any) -> Any:
        return _told(handle.processes)

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: Any) -> Any:
        return [p for p in handle.processes if p.pid % 2]

    def nvmlDeviceGetMigMode(self, handle: Any) -> Any:
        return (1, 1) if handle.slices else (0, 0)

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: Any) -> int:
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: Any, index: int) -> Any:
        return handle.slices[index]


def _told(value: Any) -> Any:
    if isinstance(value, Exception):
        raise value
    return value


def test_one_card() -> None:
    """Memory, free memory, bandwidth (bus width x clock x 2) and what others hold; this process and repeats are not counted."""
    held = [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in ((7, 2 * GIB), (8, GIB), (os.getpid(), 5 * GIB))]
    nvml = Nvml(card(b"NVIDIA GeForce RTX 4090", 24 * GIB, 21 * GIB, processes=held))
    found = nvidia.find(nvml=nvml, environment={})
    (pool,), (device,) = found.pools, found.devices
    assert (pool.name, pool.bytes, pool.free_bytes, pool.bytes_per_s) == ("vram:0", 24 * GIB, 21 * GIB, 1008.096e9)
    assert (device.name, device.kind, device.pool, device.compute_capability, device.others_bytes) == (
        "NVIDIA GeForce RTX 4090",
        "cuda",
        "vram:0",
        "8.9",
        3 * GIB,
    )
    assert found.warnings == ()
    assert nvml.closed


def test_unequal_cards_keep_their_own_memory() -> None:
    """Each card has its own pool: the largest card's memory is nobody else's."""
    found = nvidia.find(nvml=Nvml(card("A", 24 * GIB, 24 * GIB), card("B", 8 * GIB, 7 * GIB)), environment={})
    assert [(p.name, p.bytes) for p in found.pools] == [("vram:0", 24 * GIB), ("vram:1", 8 * GIB)]
    assert [d.pool for d in found.devices] == ["vram:0", "vram:1"]


@pytest.mark.parametrize(
    ("visible", "names"),
    [("1", ["B"]), ("", []), ("1,0", ["B", "A"]), ("GPU-bb", ["B"]), ("0,9,1", ["A"]), ("-1", [])],
)
def test_visible_devices(visible: str, names: list[str]) -> None:
    """CUDA_VISIBLE_DEVICES picks and orders, and ends at the first entry it does not know, as in CUDA; what is hidden is said."""
    nvml = Nvml(card("A", GIB, GIB, "GPU-aa"), card("B", GIB, GIB, "GPU-bb"))
    found = nvidia.find(nvml=nvml, environment={"CUDA_VISIBLE_DEVICES": visible, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"})
    assert [device.name for device in found.devices] == names
    assert len(found.warnings) == (0 if len(names) == 2 else 1)


def test_slices_of_a_split_card() -> None:
    """A card in MIG mode is its slices; the whole of it can be used by nobody."""
    slices = [card("H100 1g.10gb", 10 * GIB, 9 * GIB), card("H100 2g.20gb", 20 * GIB, 20 * GIB)]
    found = nvidia.find(nvml=Nvml(card("H100", 80 * GIB, 0, slices=slices)), environment={})
    assert [pool.bytes for pool in found.pools] == [10 * GIB, 20 * GIB]


def test_a_card_without_memory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jetson and GB10 share the host's memory: the device stands on the pool "unified", and the machine has that pool in place of "ram"."""
    nvml = Nvml(card("NVIDIA GB10", NVMLError_NotSupported("Not Supported"), 0))
    found = nvidia.find(nvml=nvml, environment={})
    assert (found.pools, [d.pool for d in found.devices], found.warnings) == ((), ["unified"], ())
    monkeypatch.setattr("sizeup.probe.devices.PROBES", (lambda root: found,))
    machine = this_machine(plant("raspberry-pi-5", tmp_path))
    assert [pool.name for pool in machine.pools] == ["unified"]


@pytest.mark.parametrize("broken", ["total", "name", "capability", "width", "clock", "processes", "uuid"])
def test_no_single_failure_crashes(broken: str) -> None:
    """Whatever one question raises, the other card is still found."""
    bad = card("A", GIB, GIB)
    setattr(bad, broken, RuntimeError("GPU is lost"))
    found = nvidia.find(nvml=Nvml(bad, card("B", GIB, GIB)), environment={})
    assert found.devices[-1].name == "B"
    assert len(found.devices) == (1 if broken == "total" else 2)
    assert any("GPU is lost" in warning for warning in found.warnings) == (broken == "total")


def test_zero_memory_is_left_out_and_impossible_free_is_cut() -> None:
    """A card that claims no memory is not a card of zero bytes; free cannot exceed the whole."""
    found = nvidia.find(nvml=Nvml(card("A", 0, 0), card("B", GIB, 2 * GIB)), environment={})
    assert [(p.bytes, p.free_bytes) for p in found.pools] == [(GIB, GIB)]
    assert len(found.warnings) == 2


@pytest.mark.parametrize(
    ("error", "warnings"), [(NVMLError_LibraryNotFound("no library"), 0), (RuntimeError("Driver/library version mismatch"), 1)]
)
def test_a_driver_that_does_not_start(error: Exception, warnings: int) -> None:
    """No library means no card; a library that fails is worth a word."""
    nvml = Nvml()
    nvml.nvmlInit = lambda: _told(error)  # type: ignore[method-assign]
    assert len(nvidia.find(nvml=nvml, environment={}).warnings) == warnings


def test_nothing_is_asked_without_a_driver(tmp_path: Path) -> None:
    """Without a trace of a driver the package is not even imported."""
    assert nvidia.find(tmp_path) == nvidia.Found()


def test_pools_of_several_vendors_are_numbered_in_one_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every probe counts from vram:0; together they are numbered on."""
    first = nvidia.find(nvml=Nvml(card("A", GIB, GIB)), environment={})
    second = nvidia.find(nvml=Nvml(card("B", 2 * GIB, GIB), card("C", 3 * GIB, GIB)), environment={})
    monkeypatch.setattr("sizeup.probe.devices.PROBES", (lambda root: first, lambda root: second))
    found = devices(tmp_path)
    assert [(d.name, d.pool) for d in found.devices] == [("A", "vram:0"), ("B", "vram:1"), ("C", "vram:2")]
    assert [p.name for p in found.pools] == ["vram:0", "vram:1", "vram:2"]


def test_what_else_the_driver_tells() -> None:
    """Driver and CUDA version, place on the bus as sysfs writes it, PCIe at its fastest, watts as set; a slice has those of its card."""
    told = {
        "nvmlSystemGetCudaDriverVersion": lambda: 13010,
        "nvmlDeviceGetPciInfo": lambda handle: SimpleNamespace(busId=b"00000000:01:00.0"),
        "nvmlDeviceGetMaxPcieLinkGeneration": lambda handle: _told(handle.generation),
        "nvmlDeviceGetCurrPcieLinkWidth": lambda handle: _told(handle.lanes),
        "nvmlDeviceGetEnforcedPowerLimit": lambda handle: _told(handle.watts * 1000),
    }
    whole = card(
        "A100",
        40 * GIB,
        0,
        generation=4,
        lanes=16,
        watts=400,
        slices=[card("A100 MIG 3g.20gb", 20 * GIB, 19 * GIB, capability=RuntimeError())],
    )
    nvml = Nvml(whole)
    nvml.__dict__ |= told | {"nvmlDeviceGetDeviceHandleFromMigDeviceHandle": lambda handle: whole}
    (device,) = nvidia.find(nvml=nvml, environment={}).devices
    assert (device.driver, device.address) == ("NVIDIA 580.142, CUDA 13.1", "0000:01:00.0")
    assert (device.pcie_generation, device.pcie_lanes, device.power_limit_w, device.compute_capability) == (4, 16, 400.0, "8.9")


def test_cards_that_nvlink_joins() -> None:
    """A link that is up between two of the cards is one, at the card's published rate, whatever the number of its lanes."""
    cards = [card("NVIDIA GeForce RTX 3090", 24 * GIB, 24 * GIB, bus=f"00000000:0{index}:00.0") for index in (1, 2)]
    nvml = Nvml(*cards)
    nvml.__dict__ |= {
        "nvmlDeviceGetPciInfo": lambda handle: SimpleNamespace(busId=handle.bus),
        "nvmlDeviceGetNvLinkState": lambda handle, index: 1 if index < 4 else 0,
        "nvmlDeviceGetNvLinkRemotePciInfo": lambda handle, index: SimpleNamespace(busId=next(c.bus for c in cards if c is not handle)),
    }
    (link,) = nvidia.find(nvml=nvml, environment={}).links
    assert (link.kind, link.ends, link.bytes_per_s, link.source.kind) == ("nvlink", ("vram:0", "vram:1"), 112.5e9, "published")


QUESTIONS = sorted(name for name in dir(Nvml) if name.startswith("nvml"))


@pytest.mark.parametrize("broken", QUESTIONS)
@pytest.mark.parametrize("answer", [RuntimeError("Insufficient Permissions"), None, "N/A", -1, 10**30, b"\xff", [], object()])
def test_a_driver_that_answers_nonsense(broken: str, answer: Any) -> None:
    """Whatever one question gives, no card of no memory and no crash: what is left out is said."""
    nvml = Nvml(card("A", GIB, GIB))
    setattr(nvml, broken, lambda *arguments: _told(answer))
    found = nvidia.find(nvml=nvml, environment={})
    assert all(0 < pool.bytes < 2**60 and 0 <= pool.free_bytes <= pool.bytes for pool in found.pools)
    assert len(found.pools) == len(found.devices)
    assert found.pools or found.warnings or broken == "nvmlDeviceGetCount"


def test_a_driver_without_its_library(tmp_path: Path) -> None:
    """A card whose driver runs though NVML is missing is named; a system without the card is not bothered."""
    nvml = Nvml()
    nvml.nvmlInit = lambda: _told(NVMLError_LibraryNotFound("no library"))  # type: ignore[method-assign]
    (said,) = nvidia.find(plant("nvidia-without-library", tmp_path), nvml=nvml, environment={}).warnings
    assert said.startswith("NVIDIA GeForce RTX 4090: its driver is here, but NVML")
    assert nvidia.find(tmp_path / "nowhere", nvml=nvml, environment={}).warnings == ()
