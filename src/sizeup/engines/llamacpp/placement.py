"""Where llama.cpp puts each block: which device holds its weights, its routed experts and its cache."""

from __future__ import annotations

from dataclasses import dataclass

HOST = -1
"""The device number of the CPU."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Devices by number (0, 1, …; `HOST` is the CPU), one entry per block, draft blocks included."""

    layer_device: tuple[int, ...]
    output_device: int
    expert_device: tuple[int, ...]
    """Where the routed experts of each block are; as `layer_device` unless they were kept in host memory."""
    cache_device: tuple[int, ...]
    """Where the cache and state of each block are; as `layer_device` unless the cache was kept in host memory."""
    devices: int
    """Devices the engine was given; 0 on a machine without any."""
    kind: str
    """The backend of the devices: "cuda", "metal", "vulkan", …"""
