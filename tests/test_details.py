"""What other systems and commands tell of a machine, from recorded outputs: macOS, Windows, dmidecode, rocm-smi, the process table."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import sizeup
from sizeup.hardware import Machine, Pool
from sizeup.probe import apple, dmi, elsewhere, rocm_smi, windows
from sizeup.probe.detailed import ask, with_details
from sizeup.probe.programs import programs

GIB = 2**30
FOLDER = Path(__file__).parent / "data" / "probe"
BOX = Machine("this machine", None, (Pool("ram", 32 * GIB, 28 * GIB),))


def recorded(name: str) -> str:
    return (FOLDER / "outputs" / name).read_text()


def mac() -> Machine:
    facts = elsewhere.parse(recorded("sysctl-m3-max.txt"))
    pools, devices, limits, warnings = elsewhere.mac_memory(facts, 40 * GIB)
    return Machine("this machine", elsewhere.mac_cpu(facts), pools, devices, system="macos", limits=limits, warnings=warnings)


def test_apple_silicon() -> None:
    """The GPU's cores and the Mac's model are system_profiler's; the Neural Engine is named, and that llama.cpp does not use it."""
    found = apple.with_profile(mac(), recorded("system-profiler-m3-max.json"))
    (device,) = found.devices
    assert (device.name, device.pool, device.cores) == ("Apple M3 Max GPU", "unified", 40)
    assert [(p.name, p.bytes) for p in found.pools] == [("unified", 64 * GIB)]
    assert found.board == "MacBook Pro Mac15,9"
    assert [(other.name, other.kind) for other in found.unused] == [("Apple Neural Engine", "npu")]


def test_a_set_wired_limit() -> None:
    """iogpu.wired_limit_mb, where somebody has set it, is what the GPU may hold."""
    facts = elsewhere.parse(recorded("sysctl-m3-max.txt").replace("iogpu.wired_limit_mb: 0", "iogpu.wired_limit_mb: 57344"))
    pools, devices, _, _ = elsewhere.mac_memory(facts, 64 * GIB)
    assert devices[0].limit_bytes == pools[0].free_bytes == 56 * GIB


def test_an_intel_mac_with_a_radeon() -> None:
    """The card has memory of its own; the processor's graphics have none."""
    found = apple.with_profile(replace(BOX, system="macos"), recorded("system-profiler-intel.json"))
    assert [(d.name, d.vendor, d.kind, d.pool) for d in found.devices] == [("AMD Radeon Pro 5300M", "AMD", "metal", "vram:0")]
    assert found.pool("vram:0") == replace(found.pools[1], bytes=4 * GIB)


@pytest.mark.parametrize("output", ["", "{", "[]", '{"SPDisplaysDataType": 3}', '{"SPDisplaysDataType": [1, null]}', "[" * 100_000])
def test_nonsense_of_system_profiler(output: str) -> None:
    """Anything else leaves the machine as sysctl told it."""
    found = apple.with_profile(mac(), output)
    assert [d.name for d in found.devices] == ["Apple M3 Max GPU"]
    assert found.pools == mac().pools


def test_windows_adapters() -> None:
    """The driver's 64-bit size counts, past WMI's 4 GiB; NVIDIA is NVML's; a GPU inside the processor may share half of the memory."""
    found = windows.adapters(json.loads(recorded("windows-registry.json")), 32 * GIB)
    assert [(d.name, d.vendor, d.pool, d.limit_bytes) for d in found.devices] == [
        ("AMD Radeon RX 7900 XTX", "AMD", "vram:0", None),
        ("AMD Radeon(TM) Graphics", "AMD", "unified", 16 * GIB),
        ("Intel(R) Arc(TM) B580 Graphics", "Intel", "vram:1", None),
    ]
    assert [pool.bytes for pool in found.pools] == [24 * GIB, 12 * GIB]


def test_a_large_carve_out_on_windows() -> None:
    """An APU to which the firmware gives more than it could share has that as its own."""
    entry = {"DriverDesc": "AMD Radeon(TM) 8060S Graphics", "MatchingDeviceId": "PCI\\VEN_1002&DEV_1586", windows.SIZE: 96 * GIB}
    found = windows.adapters([entry], 31 * GIB)
    assert [(pool.name, pool.bytes) for pool in found.pools] == [("vram:0", 96 * GIB)]


@pytest.mark.parametrize("size", [None, -1, 0, "N/A", 10**30, b"", 1.5, True])
def test_nonsense_of_the_registry(size: Any) -> None:
    """A card whose size is no size is left out with a word, never a card of zero bytes."""
    entry = {"DriverDesc": "AMD Radeon RX 6800", "MatchingDeviceId": "pci\\ven_1002&dev_73bf", windows.SIZE: size}
    found = windows.adapters([entry], 32 * GIB)
    assert (found.pools, found.devices, len(found.warnings)) == ((), (), 1)


def test_a_size_written_as_bytes() -> None:
    """Some drivers write the size as eight bytes."""
    entry = {
        "DriverDesc": "AMD Radeon RX 6800",
        "MatchingDeviceId": "pci\\ven_1002&dev_73bf",
        windows.SIZE: (16 * GIB).to_bytes(8, "little"),
    }
    assert windows.adapters([entry], 32 * GIB).pools[0].bytes == 16 * GIB


def test_windows_modules_and_maker() -> None:
    """One answer of PowerShell: the modules as configured, the maker of the machine."""
    found = windows.with_answer(BOX, recorded("windows-cim.json"))
    assert found.modules is not None
    assert (found.modules.kind, found.modules.modules, found.modules.transfers_per_s) == ("DDR5", 2, 5_600_000_000)
    assert found.modules.bytes_per_s == 2 * 8 * 5600e6
    assert found.board == "LENOVO 21HM"
    for output in ("", "null", '{"memory": 7}', '{"memory": [null], "system": null}'):
        assert windows.with_answer(BOX, output).modules is None


@pytest.mark.parametrize(
    ("name", "kind", "modules", "mts", "rate"),
    [
        ("dmidecode-am5.txt", "DDR5", 2, 5600, 2 * 8 * 5600e6),
        ("dmidecode-intel-four.txt", "DDR5", 4, 4400, 2 * 8 * 4400e6),
        ("dmidecode-strix-halo.txt", "LPDDR5", 8, 8000, 8 * 4 * 8000e6),
        ("dmidecode-qemu.txt", "", 1, 0, None),
        ("dmidecode-unnamed-channels.txt", "DDR4", 2, 3200, None),
    ],
)
def test_dmidecode(name: str, kind: str, modules: int, mts: int, rate: float | None) -> None:
    """Empty slots do not count, the slowest sets the pace, modules on one channel share it, and without channels no rate is told."""
    found = dmi.modules(dmi.parse(recorded(name)), "dmidecode -t memory")
    assert found is not None
    assert (found.kind, found.modules, found.transfers_per_s, found.bytes_per_s) == (kind, modules, mts * 1_000_000, rate)


@pytest.mark.parametrize("output", ["", "# dmidecode 3.4\nCan't read memory from /dev/mem\n", "Memory Device\n\tSize: -1 GB\n", "\x00\xff"])
def test_dmidecode_that_tells_nothing(output: str) -> None:
    """Without rights or modules there is no answer, not one of zeros."""
    assert dmi.modules(dmi.parse(output), "") is None


def test_edac(tmp_path: Path) -> None:
    """EDAC knows kind and number of the modules, not their speed."""
    for name, size, kind in (("dimm0", "16384", "Unbuffered-DDR4"), ("dimm1", "0", "Unknown"), ("rank4", "16384", "Unbuffered-DDR4")):
        folder = tmp_path / "sys/devices/system/edac/mc/mc0" / name
        folder.mkdir(parents=True)
        (folder / "size").write_text(size)
        (folder / "dimm_mem_type").write_text(kind)
    found = dmi.edac(tmp_path)
    assert found is not None
    assert (found.kind, found.modules, found.transfers_per_s, found.bytes_per_s) == ("DDR4", 2, 0, None)
    assert dmi.edac(tmp_path / "nowhere") is None


def test_rocm_smi() -> None:
    """Cards that only rocm-smi tells of are numbered on; one whose memory is no number is left out."""
    pools, devices = rocm_smi.parse(recorded("rocm-smi.json"), first=1)
    assert [(pool.name, pool.bytes, pool.free_bytes) for pool in pools] == [("vram:1", 21458059264, 21458059264 - 27856896)]
    assert [(d.name, d.kind, d.compute_capability) for d in devices] == [("AMD Radeon RX 7900 XT", "rocm", "gfx1100")]
    for output in ("", "null", "[]", '{"card0": 3}', '{"card0": {"VRAM Total Memory (B)": "N/A"}}'):
        assert rocm_smi.parse(output) == ((), ())


def test_programs() -> None:
    """Processes of one name are one program; the largest five, first; what may not be seen is left out."""

    def process(pid: int, name: str | None, resident: int | None) -> SimpleNamespace:
        return SimpleNamespace(info={"pid": pid, "name": name, "memory_info": resident and SimpleNamespace(rss=resident)})

    table = [process(index, f"p{index}", index * GIB) for index in range(1, 7)]
    table += [process(10, "browser", 4 * GIB), process(11, "browser", 5 * GIB), process(12, "hidden", None), process(13, None, 9 * GIB)]
    assert [(p.name, p.pid, p.resident_bytes // GIB) for p in programs(table)] == [
        ("browser", 11, 9),
        ("p6", 6, 6),
        ("p5", 5, 5),
        ("p4", 4, 4),
        ("p3", 3, 3),
    ]


def test_commands_that_are_not_there(tmp_path: Path) -> None:
    """A command that is missing, fails or prints bytes is no answer, on every system."""
    assert ask(("no-such-command-of-anyone",)) == ""
    assert ask(("false",)) == ""

    def nothing(command: Sequence[str]) -> str:
        return ""

    for platform in ("linux", "darwin", "win32"):
        assert with_details(BOX, tmp_path, nothing, platform).pools == BOX.pools


def test_no_function_of_a_package_is_named_like_its_module() -> None:
    """Importing a module puts it in the place of its package's function of that name: the function's second call would fail."""
    for file in Path(sizeup.__file__).parent.rglob("__init__.py"):
        functions = {node.name for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)}
        assert functions & {path.stem for path in file.parent.iterdir()} == set(), file
