"""Which weights the CPU backend copies into a layout of its own (CPU_REPACK, AMX): faster rows for more memory."""

from __future__ import annotations

import functools
import platform

from ...facts import data_json
from ...hardware import Cpu
from ...model import Tensor
from ...quant import quant


@functools.cache
def here() -> tuple[str, ...]:
    """Instruction sets that the embedded engine uses on the processor this runs on; those its build needs when nothing is known."""
    from pathlib import Path

    from ...probe.cpu import features

    found, machine = features(Path("/")), platform.machine()
    return used(found, machine) if found else tuple(data_json("llamacpp_repack.json")["unknown"].get(machine, ()))


def expected(cpu: Cpu | None) -> tuple[str, ...]:
    """Instruction sets that the engine would use on a described processor; of one nobody described, an x86-64 of this decade."""
    if cpu is None or not cpu.features:
        architecture = cpu.architecture if cpu and cpu.architecture else "x86_64"
        return tuple(data_json("llamacpp_repack.json")["unknown"].get(architecture, ()))
    return used(cpu.features, cpu.architecture)


def used(features: tuple[str, ...], architecture: str) -> tuple[str, ...]:
    """Those of a processor's instruction sets that decide a layout in the engine's build."""
    built = data_json("llamacpp_repack.json")["builds"].get(architecture)
    return tuple(feature for feature in features if feature in _deciding() and (built is None or feature in built))


@functools.cache
def _deciding() -> frozenset[str]:
    return frozenset(feature for rule in data_json("llamacpp_repack.json")["rules"] for feature in rule["features"])


def packed_bytes(tensor: Tensor, features: tuple[str, ...]) -> int | None:
    """Bytes of this weight in the CPU's own layout, before alignment; None when it stays as it is stored.

    Only matrices that are multiplied are rearranged (two axes, or stacked experts of three); tables that are only looked
    up are not: the caller knows the embeddings, the facts know others.
    """
    axes = len(tensor.shape)
    while axes > 1 and tensor.shape[axes - 1] == 1:
        axes -= 1
    stacked = "_exps." in tensor.name or "_chexps." in tensor.name
    if not features or axes != (3 if stacked else 2) or tensor.type is None or tensor.name.endswith(_never()):
        return None
    return _packed(tensor.type, tensor.shape[0], tensor.shape[1], tensor.elements, stacked, features)


@functools.cache
def _never() -> tuple[str, ...]:
    return tuple(data_json("llamacpp_repack.json")["never"]["endings"])


@functools.lru_cache(maxsize=4096)
def _packed(type: str, row: int, rows: int, elements: int, stacked: bool, features: tuple[str, ...]) -> int | None:
    had = set(features)
    for rule in data_json("llamacpp_repack.json")["rules"]:
        if rule["type"] != type or not had.issuperset(rule["features"]) or rows % rule["rows"] or row % rule.get("row", 1):
            continue
        if stacked and rule.get("matrices_only"):
            continue
        if "block_bytes" in rule:
            return int(elements // quant(type).block * rule["block_bytes"])
        return int(quant(type).tensor_bytes(row, elements // row))
    return None
