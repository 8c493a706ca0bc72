"""A machine: places where bytes can live, and devices that compute. (Named so because `sizeup.machine` is the function.)

A cluster is a machine with nodes; unified memory is two devices on one pool.
"""

from __future__ import annotations

from dataclasses import dataclass

from .facts import ASSUMED, Source


@dataclass(frozen=True, slots=True)
class Pool:
    """A place where bytes can live: `ram`, `unified`, `vram:0`, …, `disk`."""

    name: str
    bytes: int
    free_bytes: int
    """What a new program can have now: for RAM, what the system says is available, within every container limit."""
    bytes_per_s: float | None = None
    """Read bandwidth; None when unknown."""
    source: Source = ASSUMED
    bandwidth_source: Source = ASSUMED
    free_source: Source | None = None
    """Where `free_bytes` is from; None for where the rest is from."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """The host processor as this process may use it."""

    name: str
    cores: int
    """Physical cores this process may run on."""
    threads: int
    usable: float
    """Cores' worth of time the container allows; the smaller of the quota and the affinity."""
    architecture: str
    features: tuple[str, ...] = ()
    """Instruction sets that matter to an engine: avx2, avx512f, amx_int8, neon, dotprod, i8mm, sve, …"""
    source: Source = ASSUMED
    fast_cores: int = 0
    """Of `cores`, those of the fast kind on a hybrid processor; 0 when all are alike or nobody says."""
    part: str = ""
    """What the device table calls it, or the board it is on; "" when it is not there."""
    family: str = ""
    """Its generation as the device table keeps it."""


@dataclass(frozen=True, slots=True)
class Device:
    """A processor beside the CPU, on its pool."""

    name: str
    vendor: str
    kind: str
    """"cuda", "rocm", "vulkan", "metal", "sycl", …: the backend family an engine would use."""
    pool: str
    compute_capability: str = ""
    source: Source = ASSUMED
    others_bytes: int | None = None
    """Bytes of its pool that other processes hold now; None when the driver does not say."""
    limit_bytes: int | None = None
    """The most it may hold of a pool that it shares (macOS's wired limit); None when only the pool limits it."""
    family: str = ""
    """Its architecture as speeds are kept by ("NVIDIA Ada", "Apple M3"); "" when nobody says."""
    flops_per_s: float | None = None
    """Dense half-precision rate of its matrix units as specified; None when nobody says."""
    watts: float | None = None
    """Power it is designed for."""
    driver: str = ""
    """The driver and its version ("NVIDIA 580.142, CUDA 13.0", "amdgpu"); "" when nobody says."""
    address: str = ""
    """Its PCI address ("0000:03:00.0")."""
    pcie_generation: int = 0
    """Of the slowest link on its way to the processor, at full speed; 0 when nobody says."""
    pcie_lanes: int = 0
    power_limit_w: float | None = None
    """Watts that it may draw as it is set now."""
    cores: int = 0
    """Compute units (AMD) or GPU cores (Apple) as the system counts them; 0 when nobody says."""
    node: str = ""
    """The other machine that it is in, reached over a network; "" for this one."""


@dataclass(frozen=True, slots=True)
class Unused:
    """A processor that is here and that no usual build of an engine works with: an NPU, a card without a driver, a GPU beside a card."""

    name: str
    vendor: str
    kind: str
    """"npu" or "gpu"."""
    why: str
    """In words: what keeps it out."""
    source: Source = ASSUMED


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted place for models."""

    path: str
    bytes: int
    free_bytes: int
    filesystem: str = ""
    bytes_per_s: float | None = None
    """Sequential read, past the system's cache; None until it is measured."""
    source: Source = ASSUMED
    kind: str = ""
    """"nvme", "ssd", "rotational", "card" (SD, eMMC), "virtual", "network", "memory"; "" when nobody says."""


@dataclass(frozen=True, slots=True)
class Swap:
    """Where pages go when memory is full. Never counted as memory: a model in swap stands still."""

    bytes: int
    free_bytes: int
    compressed: bool = False
    """zram: it lies in the memory itself, compressed."""
    source: Source = ASSUMED


@dataclass(frozen=True, slots=True)
class Modules:
    """The memory modules as the firmware lists them."""

    kind: str
    """"DDR5", "LPDDR5", …; "" when it does not say."""
    modules: int
    transfers_per_s: int = 0
    """As configured (5600 MT/s is 5,600,000,000), of the slowest; 0 when nobody says."""
    bytes_per_s: float | None = None
    """What the buses could carry at most: width x transfers, each channel once; None unless the firmware names the channels."""
    source: Source = ASSUMED


@dataclass(frozen=True, slots=True)
class Program:
    """A program that is running and what it holds of the memory."""

    name: str
    pid: int
    resident_bytes: int
    """Of all its processes of one name; shared pages count in each."""


@dataclass(frozen=True, slots=True)
class Link:
    """A connection between two pools or nodes."""

    kind: str
    bytes_per_s: float
    ends: tuple[str, str]
    source: Source = ASSUMED


@dataclass(frozen=True, slots=True)
class Machine:
    """Everything an answer needs to know of a machine."""

    name: str
    cpu: Cpu | None
    pools: tuple[Pool, ...]
    devices: tuple[Device, ...] = ()
    disks: tuple[Disk, ...] = ()
    links: tuple[Link, ...] = ()
    system: str = ""
    """"linux", "macos", "windows", and what it runs in (container, VM)."""
    limits: tuple[str, ...] = ()
    """Limits that cut the memory or the cores, in words ("cgroup memory.max 8 GiB")."""
    warnings: tuple[str, ...] = ()
    nodes: tuple[Machine, ...] = ()
    """The machines that this one is joined from, the driving one first; none for a machine alone."""
    source: Source = ASSUMED
    unused: tuple[Unused, ...] = ()
    board: str = ""
    """The board or product as the firmware names it ("Raspberry Pi 5 Model B Rev 1.0")."""
    swap: Swap | None = None
    modules: Modules | None = None
    """Asked only on demand; None when not asked or not told."""
    programs: tuple[Program, ...] = ()
    """The programs that hold most memory; asked only on demand."""

    def pool(self, name: str) -> Pool | None:
        return next((p for p in self.pools if p.name == name), None)

    @property
    def kept_as(self) -> str:
        """What is measured on it is kept under this: this machine, else its cards, however it was named; without any its name."""
        if self.name == "this machine" or not self.devices:
            return self.name
        return " + ".join(sorted(device.name for device in self.devices))
