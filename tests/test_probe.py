"""This machine, read from recorded trees and from the real one: what a process may use, never what only the host has."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sizeup.hardware import Cpu, Machine, Pool
from sizeup.probe.bandwidth import Bandwidth, keep, kept
from sizeup.probe.container import limits
from sizeup.probe.disk import disks
from sizeup.probe.files import ids
from sizeup.probe.here import this_machine
from sizeup.probe.sweep import last_level_cache, measured_bandwidth
from tests.trees import plant

GIB = 2**30


def read(name: str, root: Path) -> tuple[Machine, Cpu, Pool]:
    machine = this_machine(plant(name, root))
    memory = machine.pool("ram")
    assert machine.cpu is not None
    assert memory is not None
    return machine, machine.cpu, memory


def test_nested_version_2_groups(tmp_path: Path) -> None:
    """The smallest limit on the path wins, and the room is the limit less the use that cannot be dropped (dirty pages cannot)."""
    machine, cpu, memory = read("cgroup-v2-nested", tmp_path)
    assert memory.bytes == 8 * GIB
    assert memory.free_bytes == 7 * GIB // 2
    assert (cpu.cores, cpu.threads, cpu.usable) == (4, 4, 1.5)
    assert machine.limits == (
        "cgroup memory.max of /kubepods.slice/pod1.slice: 8.00 GiB of 64.0 GiB",
        "cgroup cpu.max of /kubepods.slice/pod1.slice: 1.5 cores of 4 threads",
    )
    assert machine.system == "linux in a kubepods container in a virtual machine (QEMU)"
    assert machine.warnings == ()


def test_version_1_groups_of_a_container(tmp_path: Path) -> None:
    """Paths are taken below what is mounted, v1's "no limit" number is none, and the limit of groups out of sight counts."""
    machine, cpu, memory = read("cgroup-v1-container", tmp_path)
    assert memory.bytes == 3 * GIB
    assert memory.free_bytes == 3 * GIB // 2
    assert (cpu.cores, cpu.threads, cpu.usable) == (2, 2, 0.5)
    assert machine.limits == (
        "cgroup hierarchical_memory_limit of /: 3.00 GiB of 16.0 GiB",
        "cgroup cpu.cfs_quota_us of /: 0.5 cores of 2 threads",
    )
    assert machine.system == "linux in a docker container"


def test_a_namespace_hides_the_path(tmp_path: Path) -> None:
    """A group that calls itself "/" reads the files of its mount; memory.high limits like memory.max."""
    machine, cpu, memory = read("cgroup-v2-namespace", tmp_path)
    assert (memory.bytes, memory.free_bytes) == (5 * GIB, 4 * GIB)
    assert (cpu.cores, cpu.threads, cpu.usable) == (2, 4, 4.0)
    assert machine.limits == ("cgroup memory.high of /: 5.00 GiB of 32.0 GiB",)
    assert machine.system == "linux in a podman container"


def test_no_limits_on_a_hybrid_desktop(tmp_path: Path) -> None:
    """Without limits all of the memory is there; of a hybrid processor the fast cores are counted apart."""
    machine, cpu, memory = read("desktop-hybrid", tmp_path)
    assert (memory.bytes, memory.free_bytes) == (32 * GIB, 28 * GIB)
    assert (cpu.name, cpu.cores, cpu.threads, cpu.usable, cpu.fast_cores) == ("Intel(R) Core(TM) i9-14900K", 6, 8, 8.0, 2)
    assert cpu.features == ("sse4.2", "avx", "f16c", "fma", "bmi2", "avx2", "avx_vnni")
    assert (machine.limits, machine.warnings, machine.system) == ((), (), "linux")


def test_raspberry_pi(tmp_path: Path) -> None:
    """Arm names its cores by number and the board in the last paragraph; its flags have their own names."""
    machine, cpu, memory = read("raspberry-pi-5", tmp_path)
    assert cpu.name == "Cortex-A76 (Raspberry Pi 5 Model B Rev 1.0)"
    assert (cpu.cores, cpu.threads, cpu.fast_cores, cpu.architecture) == (4, 4, 0, "aarch64")
    assert cpu.features == ("neon", "fp16", "dotprod")
    assert memory.bytes == 8245936 * 1024
    assert machine.warnings == ()


def test_big_and_little_cores(tmp_path: Path) -> None:
    """Cores of two kinds are both named, and the fast kind is known by its capacity."""
    _, cpu, _ = read("big-little", tmp_path)
    assert cpu.name == "Cortex-A76 + Cortex-A55 (Orange Pi 5)"
    assert (cpu.cores, cpu.fast_cores) == (8, 4)


def test_wsl(tmp_path: Path) -> None:
    """WSL is Linux inside Windows: said, and said that its memory is what was granted."""
    machine, cpu, memory = read("wsl", tmp_path)
    assert machine.system == "linux in WSL"
    assert machine.limits == ("WSL: memory and cores are what .wslconfig grants, not all of Windows' own",)
    assert (cpu.name, cpu.cores, cpu.threads) == ("AMD Ryzen 7 7840U w/ Radeon 780M Graphics", 1, 2)
    assert memory.free_bytes == 15 * GIB


def test_old_kernel_two_sockets_and_affinity(tmp_path: Path) -> None:
    """Cores are counted by socket and core among the CPUs that the process may use; available memory is estimated, with a warning."""
    machine, cpu, memory = read("old-kernel-two-sockets", tmp_path)
    assert (cpu.cores, cpu.threads) == (2, 3)
    assert memory.free_bytes == 4 * GIB
    assert machine.warnings == ("The kernel does not say how much memory is available; taken as free plus file cache.",)


def test_riscv_and_an_impossible_figure(tmp_path: Path) -> None:
    """Vector extensions are read from the ISA string; more available than there is becomes all there is, with a warning."""
    machine, cpu, memory = read("riscv", tmp_path)
    assert (cpu.name, cpu.architecture, cpu.features) == ("spacemit,x60", "riscv64", ("rvv", "zfh", "zvfh"))
    assert memory.free_bytes == memory.bytes == 4 * GIB
    assert any("5.00 GiB of 4.00 GiB" in warning for warning in machine.warnings)


@pytest.mark.parametrize("name", ["garbled", None])
def test_garbled_and_missing_files_warn(name: str | None, tmp_path: Path) -> None:
    """What cannot be read is a warning and an absent figure, never a zero and never a crash."""
    machine = this_machine(plant(name, tmp_path) if name else tmp_path)
    assert machine.pools == ()
    assert machine.cpu is not None
    assert (machine.cpu.name, machine.cpu.cores, machine.cpu.threads) == ("unknown processor", 1, 1)
    said = " ".join(machine.warnings)
    assert "memory cannot be read" in said
    assert "number of CPUs cannot be read" in said
    assert ("memory.max is not a number" in said) == (name == "garbled")


def test_disks_one_row_a_filesystem(tmp_path: Path) -> None:
    """Places on one filesystem make one row; a place that is not there yet counts where it would lie; mount points are unescaped."""
    plant("desktop-hybrid", tmp_path)
    for place in ("home/ann", "mnt/big disk/models"):
        (tmp_path / place).mkdir(parents=True)
    where = [Path("/home/ann"), Path("/home/ann/.cache/huggingface"), Path("/mnt/big disk/models/new"), Path("/srv")]
    sizes = {"/home/ann": (100, 40, 50), "/mnt/big disk/models": (1000, 0, 900), "/": (10, 5, 4)}
    found, warnings = disks(tmp_path, where, lambda path: sizes[path])
    assert [(d.path, d.filesystem, d.bytes, d.free_bytes) for d in found] == [
        ("/home", "btrfs", 100, 50),
        ("/mnt/big disk", "ext4", 1000, 900),
        ("/", "ext4", 10, 4),
    ]
    assert warnings == ()


def test_a_disk_that_does_not_answer(tmp_path: Path) -> None:
    """A filesystem that cannot be asked is a warning."""

    def broken(path: str) -> tuple[int, int, int]:
        raise OSError(5, "Input/output error")

    assert disks(tmp_path, [Path("/srv")], broken) == ((), ("The space on / cannot be read: Input/output error.",))


@pytest.mark.parametrize(
    ("words", "expected"), [("0-3,8", {0, 1, 2, 3, 8}), ("5", {5}), ("", None), ("a", None), ("1-", None), ("0-99999999999", None)]
)
def test_cpu_lists(words: str, expected: set[int] | None) -> None:
    """A kernel CPU list is read whole or not at all, and a hostile range costs nothing."""
    assert ids(words) == expected


def test_no_control_groups_is_no_limit(tmp_path: Path) -> None:
    """A system without control groups limits nothing."""
    found = limits(tmp_path)
    assert (found.memory_bytes, found.memory_room_bytes, found.cpus, found.cpuset) == (None, None, None, None)


def test_bandwidth_is_measured_and_kept() -> None:
    """A measured rate is plausible, dated and labelled, and is given back for the same processor only."""
    found = measured_bandwidth(0.05, threads=1, room_bytes=256 << 20)
    assert 0.2e9 < found.bytes_per_s < 2e12
    assert found.source.kind == "measured"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found.source.date)
    assert kept("this cpu") is None
    keep(Bandwidth(found.bytes_per_s, found.how, found.date, 1, "this cpu"))
    again = kept("this cpu")
    assert again is not None
    assert again.bytes_per_s == found.bytes_per_s
    assert kept("another cpu") is None


def test_last_level_cache(tmp_path: Path) -> None:
    """The caches of the last level are summed, each once however many CPUs share it."""
    for cpu, shared in ((0, "0-1"), (1, "0-1"), (2, "2-3"), (3, "2-3")):
        for index, (level, size, who) in enumerate((("1", "32K", str(cpu)), ("3", "16384K", shared))):
            folder = tmp_path / f"sys/devices/system/cpu/cpu{cpu}/cache/index{index}"
            folder.mkdir(parents=True)
            for file, content in (("level", level), ("size", size), ("shared_cpu_list", who)):
                (folder / file).write_text(content + "\n")
    assert last_level_cache(tmp_path) == 32 << 20


linux = pytest.mark.skipif(sys.platform != "linux", reason="reads the real /proc")


@linux
def test_the_real_memory_is_what_the_kernel_says() -> None:
    """On this machine: the size is MemTotal or a smaller control group, and what is available lies within a moment's noise."""
    said = {
        line.split(":")[0]: int(line.split()[1]) * 1024 for line in Path("/proc/meminfo").read_text().splitlines() if line.endswith("kB")
    }
    found = limits()
    memory = this_machine().pool("ram")
    assert memory is not None
    assert memory.bytes == min(said["MemTotal"], found.memory_bytes or said["MemTotal"])
    expected = min(said["MemAvailable"], memory.bytes if found.memory_room_bytes is None else found.memory_room_bytes)
    assert abs(memory.free_bytes - expected) < max(expected // 10, 512 << 20)


@linux
def test_the_real_processor_is_what_lscpu_says() -> None:
    """On this machine: threads equal the affinity mask within the cpuset, and name and cores equal lscpu's where it is here."""
    cpu = this_machine().cpu
    assert cpu is not None
    allowed = os.sched_getaffinity(0)
    assert cpu.threads == len(allowed & (limits().cpuset or allowed))
    lscpu = shutil.which("lscpu")
    if lscpu is None or len(allowed) != os.cpu_count() or limits().cpuset not in (None, allowed):
        return
    rows = [
        line.split(",")
        for line in subprocess.run([lscpu, "-p=CPU,CORE,SOCKET"], capture_output=True, text=True, check=True).stdout.splitlines()
        if line[0] != "#"
    ]
    assert cpu.cores == len({(row[1], row[2]) for row in rows if int(row[0]) in allowed})
    text = subprocess.run([lscpu], capture_output=True, text=True, check=True, env={"LC_ALL": "C", "PATH": os.environ["PATH"]}).stdout
    name = re.search(r"^Model name:\s*(.+)$", text, re.MULTILINE)
    assert name is None or name[1].strip() in cpu.name or "Cortex" in cpu.name


@linux
def test_the_real_disk_is_what_the_system_says() -> None:
    """On this machine: the working folder lies on one of the rows, with the size that statvfs gives."""
    usage = shutil.disk_usage(Path.cwd())
    assert usage.total in [disk.bytes for disk in this_machine().disks]


def test_a_probe_imports_nothing_heavy() -> None:
    """Reading this machine needs no numpy, rich, psutil or NVML."""
    code = "import sys, sizeup; sizeup.machine(); print([m for m in ('numpy', 'rich', 'psutil', 'pynvml', 'click') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]" or not sys.platform.startswith("linux")
