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


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted place for models."""

    path: str
    bytes: int
    free_bytes: int
    filesystem: str = ""
    bytes_per_s: float | None = None
    source: Source = ASSUMED


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
    source: Source = ASSUMED

    def pool(self, name: str) -> Pool | None:
        return next((p for p in self.pools if p.name == name), None)
