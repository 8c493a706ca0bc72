"""Which device holds which layer: `-ngl`, `--n-cpu-moe`, and splits over several devices.

Source: llama.cpp b11549, src/llama-model.cpp (load_tensors: splits, i_gpu_start), common/arg.cpp (cpu-moe patterns).
"""

from __future__ import annotations

import functools
import struct
from bisect import bisect_right
from typing import cast

from ...figure import plain
from ...model import ModelSpec
from .graph.sheet import Homes
from .settings import Settings


def homes(model: ModelSpec, settings: Settings) -> Homes:
    """The backend of every block, its experts and the output: devices are 0, 1, …, and `cpu` stands for the host.

    Blocks for drafting count as layers here, even when they are not loaded.
    """
    blocks = model.layers + sum(group.layers for group in model.draft_blocks)
    # Shares that are all zero are as if none were given.
    split = settings.tensor_split or settings.gpu_free_bytes or (1.0,) * settings.gpus
    return _homes(blocks, plain(settings.gpu_layers), settings.gpus, tuple(split), plain(settings.cpu_moe_layers))


@functools.lru_cache(maxsize=512)
def _homes(blocks: int, gpu_layers: int | str, gpus: int, split: tuple[float, ...], moe: int | str) -> Homes:
    offloaded = blocks + 1 if gpu_layers == "all" else min(int(gpu_layers), blocks + 1)
    if not offloaded:
        return Homes(0, (0,) * blocks, (0,) * blocks, 0)
    cpu, first = gpus, blocks + 1 - offloaded
    edges = _edges(split)

    def device(layer: int) -> int:
        return cpu if layer < first else bisect_right(edges, single((layer - first) / offloaded))

    layers = tuple(device(layer) for layer in range(blocks))
    kept = blocks if moe == "all" else int(moe)
    experts = tuple(cpu if layer < kept else home for layer, home in enumerate(layers))
    return Homes(cpu, layers, experts, device(blocks))


def _edges(split: tuple[float, ...]) -> list[float]:
    """Where each device's share of the offloaded layers ends, in the engine's single precision."""
    sums: list[float] = []
    for share in split:
        sums.append(single((sums[-1] if sums else 0.0) + single(share)))
    return [single(end / sums[-1]) for end in sums]


def single(number: float) -> float:
    """The nearest single-precision number: where a layer lies on an edge, rounding decides its device."""
    return cast(float, struct.unpack("f", struct.pack("f", number))[0])


def pool(backend: int, where: Homes) -> str:
    """The pool that a backend's memory belongs to."""
    return "ram" if backend == where.cpu else f"vram:{backend}"
