"""How long a served model may take until it answers, from its bytes and the rates of disk and network."""

from __future__ import annotations

import math
from typing import NamedTuple

from ..facts import data_json
from ..figure import plain
from ..plan import Plan

ENGINES = {"vLLM": "vllm", "SGLang": "sglang", "llama.cpp": "llama.cpp"}
"""Engines that are handed over -> the name of each in files."""


class Start(NamedTuple):
    """Seconds that a first start may take, as far as anyone can know."""

    weight_bytes: int
    """That one node reads."""
    disk_bytes_per_s: float
    measured: bool
    """Whether the disk's rate is the machine's own; assumed else."""
    network_bytes_per_s: float
    prepare_s: float
    slack: float

    @property
    def download_s(self) -> float:
        return self.weight_bytes / self.network_bytes_per_s

    @property
    def read_s(self) -> float:
        return self.weight_bytes / self.disk_bytes_per_s

    @property
    def seconds(self) -> int:
        """How long to wait before giving up."""
        facts = data_json("handover.json")["start"]
        return max(int(facts["least_s"]), math.ceil(self.slack * (self.download_s + self.read_s + self.prepare_s)))

    def words(self) -> list[str]:
        """How that is made up, a line each."""
        how = "measured" if self.measured else "assumed"
        return [
            f"a start may take {self.seconds} s, {self.slack:g} x the sum of: {self.weight_bytes / 1e9:.1f} GB of weights",
            f"downloaded at {self.network_bytes_per_s / 1e6:.0f} MB/s (assumed): {self.download_s:.0f} s; read at {self.disk_bytes_per_s / 1e9:.2f} GB/s ({how}): {self.read_s:.0f} s;",
            f"what the server prepares then (compiling, graphs): {self.prepare_s:.0f} s (assumed)",
        ]


def start(plan: Plan, spread: int) -> Start:
    """Of a replica over so many nodes; the disk is the machine's where it was measured, else assumed."""
    facts = data_json("handover.json")["start"]
    disk = next((disk.bytes_per_s for disk in plan.machine.disks if disk.bytes_per_s), None)
    weights = int(plain(plan.breakdown.bytes("weights"))) // spread
    return Start(
        weights,
        disk or facts["disk_bytes_per_s"],
        disk is not None,
        facts["network_bytes_per_s"],
        facts["prepare_s"][ENGINES[plan.engine]],
        facts["slack"],
    )
