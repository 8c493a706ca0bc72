"""Which weights the CPU backend copies into a layout of its own (CPU_REPACK): faster rows for more memory."""

from __future__ import annotations

import functools

from ...facts import data_json
from ...model import Tensor


@functools.cache
def here() -> tuple[str, ...]:
    """Instruction sets that the embedded engine uses on the processor this runs on; ("avx2",) when nothing is known of it."""
    from ...probe import machine

    cpu = machine().cpu
    return used(cpu.features, cpu.architecture) if cpu is not None and cpu.features else ("avx2",)


def used(features: tuple[str, ...], architecture: str) -> tuple[str, ...]:
    """What the engine's build makes of a processor's instruction sets."""
    built = data_json("llamacpp_repack.json")["builds"].get(architecture)
    return features if built is None else tuple(feature for feature in features if feature in built)


def repacked(tensor: Tensor, features: tuple[str, ...]) -> bool:
    """Whether this weight is repacked on a processor with these instruction sets."""
    return _rule(tensor.type or "", tensor.shape[1] if len(tensor.shape) > 1 else 1, features) and _is_multiplied(tensor)


@functools.lru_cache(maxsize=4096)
def _rule(type: str, rows: int, features: tuple[str, ...]) -> bool:
    return any(
        rule["type"] == type and set(rule["features"]) <= set(features) and rows % rule["rows"] == 0
        for rule in data_json("llamacpp_repack.json")["rules"]
    )


def _is_multiplied(tensor: Tensor) -> bool:
    """Matrices of two axes, or stacked experts of three; tables that are only looked up stay as they are."""
    axes = len(tensor.shape)
    while axes > 1 and tensor.shape[axes - 1] == 1:
        axes -= 1
    stacked = "_exps." in tensor.name
    return axes == (3 if stacked else 2) and tensor.name not in data_json("llamacpp_repack.json")["looked_up"]
