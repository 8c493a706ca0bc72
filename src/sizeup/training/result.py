"""What a training step's answer says: bytes by part at the peak, and what allocator and driver make of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

from sizeup.facts import Source, data_json
from sizeup.figure import leaf, plain, total
from sizeup.hardware import Machine
from sizeup.model import ModelSpec
from sizeup.plan import Breakdown
from sizeup.shape import as_json

from . import companions
from .account import Memory, account
from .parallel import Split
from .recipe import Recipe
from .towers import beside


class TrainingJson(TypedDict):
    """What one step takes, for programs."""

    model: str
    machine: str | None
    algorithm: str
    recipe: Recipe
    split: Split
    parameters: int
    trained_parameters: int
    peak_bytes: int
    peak_at: str
    parts: dict[str, int]
    allocated_bytes: int
    reserved_bytes: int
    process_bytes: int
    host_bytes: int
    saved_bytes: int
    checkpoint_bytes: int
    limit_bytes: int | None
    fits: bool | None
    source: Source


@dataclass(frozen=True)
class Training:
    """What one step takes on one device. `peak_bytes` is the allocator's peak (tensors and kernels' own workspaces)."""

    model: ModelSpec
    recipe: Recipe
    split: Split
    memory: Memory
    breakdown: Breakdown
    """Claims at the peak in pool "vram:0", and beside it: what the libraries and the driver add."""
    source: Source
    """How we know: traced as it is, or derived from steps that were."""
    machine: Machine | None = None
    algorithm: str = "sft"
    host_bytes: int = 0
    """What rests in host memory or on disk instead (offload)."""
    asked: dict[str, Any] = field(default_factory=dict)

    @property
    def peak_bytes(self) -> int:
        """The peak of what the step allocates."""
        return int(plain(self.breakdown.total_bytes)) - int(plain(self.breakdown.bytes("overhead")))

    @property
    def allocated_bytes(self) -> int:
        """As `torch.cuda.max_memory_allocated` tells it: with cuBLAS's workspaces. A processor has none."""
        return self.peak_bytes + (0 if self.recipe.device == "cpu" else workspace_bytes(self.machine))

    @property
    def reserved_bytes(self) -> int:
        """As `max_memory_reserved`: allocated and the allocator's fragments, at their median. A processor's allocator returns memory."""
        if self.recipe.device == "cpu":
            return self.allocated_bytes
        return self.allocated_bytes * _reserve(self.recipe)["percent"] // 100

    @property
    def process_bytes(self) -> int:
        """As nvidia-smi: reserved and the CUDA context. On a processor the resident process: tensors and the libraries."""
        facts = data_json("training_overheads.json")
        return self.reserved_bytes + int(facts["cpu_process" if self.recipe.device == "cpu" else "context"]["bytes"])

    @property
    def site(self) -> str:
        """The operation that makes the peak."""
        return self.memory.peak_event

    @property
    def saved_bytes(self) -> int:
        """The trained weights on disk as they are held: adapters alone where the base is frozen."""
        return int(plain(self.memory.adapter)) or int(plain(self.memory.weights))

    @property
    def checkpoint_bytes(self) -> int:
        """A checkpoint that training can go on from, of all devices together: the trained weights and the optimizer's states.

        Not counted: tokenizer, schedule and random states, a few MB.
        """
        return self.saved_bytes + int(plain(self.memory.optimizer))

    @property
    def trained_parameters(self) -> int:
        return self.memory.trained

    @property
    def parameters(self) -> int:
        return self.memory.parameters

    @property
    def tower_parameters(self) -> int:
        """Weights of the model's towers for pictures and sound, whether they are loaded (`recipe.tower`) or not."""
        return sum(tower.parameters() for tower in beside(self.model))

    def by_part(self) -> dict[str, int]:
        """Bytes per part at the peak, without what the libraries and the driver add."""
        return {part: int(plain(bytes)) for part, bytes in self.breakdown.by_part().items() if part != "overhead"}

    @property
    def limit_bytes(self) -> int | None:
        """The memory of the machine's first device, of its RAM when it has none; None without a machine."""
        if self.machine is None:
            return None
        pools = {pool.name: pool for pool in self.machine.pools}
        pool = pools.get(self.machine.devices[0].pool if self.machine.devices else "ram")
        return pool.free_bytes if pool is not None else None

    @property
    def fits(self) -> bool | None:
        """Whether the process fits the machine; None without a machine."""
        return None if self.limit_bytes is None else self.process_bytes <= self.limit_bytes

    def explained(self) -> Breakdown:
        """The same claims as sums of figures: what was alive at the peak, by the operation that made it."""
        if not self.split.alone:
            return self.breakdown
        run = replace(self.recipe, micro_batch=companions.sequences(self.algorithm, self.recipe))
        found: dict[str, dict[str, int]] = {}
        for key, bytes in account(self.model, run, detailed=True).peak_parts.items():
            part, _, name = key.partition("|")
            part = "buffers" if part == "inputs" else part
            of_part = found.setdefault(part, {})
            of_part[name or part] = of_part.get(name or part, 0) + int(plain(bytes))
        claims = []
        for claim in self.breakdown.claims:
            made = {name: bytes for name, bytes in found.get(claim.part, {}).items() if bytes}
            if claim.label or sum(made.values()) != plain(claim.bytes):
                claims.append(claim)
                continue
            largest = sorted(made.items(), key=lambda item: -item[1])
            claims.append(replace(claim, bytes=total([leaf(name, bytes) for name, bytes in largest])))
        return Breakdown(tuple(claims))

    def to_json(self) -> TrainingJson:
        return {
            "model": self.model.name,
            "machine": self.machine.name if self.machine else None,
            "algorithm": self.algorithm,
            "recipe": as_json(self.recipe),
            "split": as_json(self.split),
            "parameters": self.parameters,
            "trained_parameters": self.trained_parameters,
            "peak_bytes": self.peak_bytes,
            "peak_at": self.site,
            "parts": {f"{part}_bytes": int(plain(bytes)) for part, bytes in self.by_part().items()},
            "allocated_bytes": self.allocated_bytes,
            "reserved_bytes": self.reserved_bytes,
            "process_bytes": self.process_bytes,
            "host_bytes": self.host_bytes,
            "saved_bytes": self.saved_bytes,
            "checkpoint_bytes": self.checkpoint_bytes,
            "limit_bytes": self.limit_bytes,
            "fits": self.fits,
            "source": as_json(self.source),
        }


def workspace_bytes(machine: Machine | None) -> int:
    """cuBLAS's workspaces, one a thread: larger on Hopper."""
    facts = data_json("training_overheads.json")
    hopper = bool(machine and machine.devices and machine.devices[0].compute_capability.startswith("9."))
    row = facts["cublas_workspace_hopper" if hopper else "cublas_workspace"]
    return int(row["bytes"]) * int(row["handles"])


def _reserve(recipe: Recipe) -> dict[str, int]:
    row: dict[str, int] = data_json("training_overheads.json")["reserved"]["eager" if recipe.attention in ("eager", "math") else "fused"]
    return row
