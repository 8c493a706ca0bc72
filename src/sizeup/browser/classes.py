"""Typical browsers to judge a model for when no visitor is there (data/browser/devices.json): mostly assumed, and said to be."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..facts import data_json
from .device import NAMES, Device, from_json

FILE = "browser/devices.json"


@dataclass(frozen=True, slots=True)
class Typical:
    """One class of browsers: a device that stands for it, and where its values are from."""

    id: str
    device: Device
    sources: dict[str, str]
    """Values that somebody states, by their names in JSON; all others are assumed."""

    @property
    def assumed(self) -> tuple[str, ...]:
        """Names of the values that nobody states."""
        return tuple(name for field, name in NAMES.items() if getattr(self.device, field) is not None and name not in self.sources)


def typical() -> tuple[Typical, ...]:
    """Every class, in the order of the table."""
    data = data_json(FILE)
    core, share = data["wasm_per_thread"], data["gpu_read_share"]
    found = []
    for row in data["classes"]:
        rate = row["bandwidth_GBs"]
        device = replace(
            from_json(row["device"]),
            wasm_read_bytes_per_s=core["wasmReadBytesPerS"] * row["wasm_factor"],
            wasm_flops_per_s=core["wasmFlopsPerS"] * row["wasm_factor"],
            gpu_read_bytes_per_s=rate * 1e9 * share if rate else None,
        )
        found.append(Typical(row["id"], device, row["sources"]))
    return tuple(found)
