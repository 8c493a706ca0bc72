"""Cards as a server sees them: memory that CUDA reports, what kind they are."""

from __future__ import annotations

from typing import NamedTuple

from ...errors import UserError
from ...facts import data_json
from ...hardware import Device, Machine

KINDS = ("cuda", "rocm")
GIB = 1 << 30


class Card(NamedTuple):
    """One card: `total_bytes` is what shares are taken of, `free_bytes` what a program finds."""

    name: str
    pool: str
    kind: str
    family: str
    total_bytes: int
    free_bytes: int
    known: bool
    """Whether somebody read both from CUDA on such a card."""
    board_bytes: int = 0
    """What nvidia-smi names."""


def cards(machine: Machine, engine: str) -> tuple[Card, ...]:
    """The cards that a server can use, in order. Raises UserError when there is none."""
    usable = [device for device in machine.devices if device.kind in KINDS and machine.pool(device.pool)]
    if not usable:
        there = machine.devices[0].name if machine.devices else "no graphics card"
        raise UserError(
            f"{engine} needs an NVIDIA or AMD card (CUDA or ROCm), and {machine.name} has {there}.",
            "a machine with one, or --engine llama.cpp",
        )
    return tuple(_seen(machine, device) for device in usable)


def _seen(machine: Machine, device: Device) -> Card:
    pool = machine.pool(device.pool)
    assert pool is not None
    facts = data_json("cuda_memory.json")
    row = next((row for row in facts["rows"] if device.name.startswith(row["device"])), None)
    if row is not None:
        total = int(row["total_gib"] * GIB)
        taken = max(pool.bytes - pool.free_bytes, 0)
        return Card(
            device.name, device.pool, device.kind, device.family, total, max(int(row["free_gib"] * GIB) - taken, 0), True, pool.bytes
        )
    total = int(pool.bytes * facts["others"]["total_share"])
    free = min(pool.free_bytes, total - int(facts["others"]["free_less_gib"] * GIB))
    return Card(device.name, device.pool, device.kind, device.family, total, free, False, pool.bytes)
