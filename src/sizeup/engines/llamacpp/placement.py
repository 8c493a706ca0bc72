"""Which device holds which layer: `-ngl`, `--n-cpu-moe`, and splits over several devices.

Source: llama.cpp b11549, src/llama-model.cpp (load_tensors: splits, i_gpu_start), common/arg.cpp (cpu-moe patterns).
"""

from __future__ import annotations

import functools
from bisect import bisect_right

from ...model import ModelSpec
from .graph.sheet import Homes
from .settings import Settings


def homes(model: ModelSpec, settings: Settings) -> Homes:
    """The backend of every block, its experts and the output: devices are 0, 1, …, and `cpu` stands for the host."""
    blocks = model.layers + sum(group.layers for group in model.draft_blocks)
    return _homes(blocks, settings.gpu_layers, settings.gpus, settings.tensor_split, settings.cpu_moe_layers)


@functools.lru_cache(maxsize=512)
def _homes(blocks: int, gpu_layers: int | str, gpus: int, split: tuple[float, ...] | None, moe: int | str) -> Homes:
    offloaded = blocks + 1 if gpu_layers == "all" else min(int(gpu_layers), blocks + 1)
    if not offloaded:
        return Homes(0, (0,) * blocks, (0,) * blocks, 0)
    cpu, first = gpus, blocks + 1 - offloaded
    edges = _edges(split or (1.0,) * gpus)

    def device(layer: int) -> int:
        return cpu if layer < first else bisect_right(edges, (layer - first) / offloaded)

    layers = tuple(device(layer) for layer in range(blocks))
    kept = blocks if moe == "all" else int(moe)
    experts = tuple(cpu if layer < kept else home for layer, home in enumerate(layers))
    return Homes(cpu, layers, experts, device(blocks))


def _edges(split: tuple[float, ...]) -> list[float]:
    """Where each device's share of the offloaded layers ends."""
    whole, so_far, edges = sum(split), 0.0, []
    for share in split[:-1]:
        so_far += share
        edges.append(so_far / whole)
    return edges


def pool(backend: int, where: Homes) -> str:
    """The pool that a backend's memory belongs to."""
    return "ram" if backend == where.cpu else f"vram:{backend}"
