"""The public `train`: what a training step takes on one device, part by part, and what makes its peak."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, replace
from typing import Any

from sizeup.errors import UserError, close_names
from sizeup.facts import Source, data_json
from sizeup.figure import leaf, plain, total
from sizeup.hardware import Machine
from sizeup.model import ModelSpec
from sizeup.plan import PARTS, Breakdown, Claim

from . import check, companions, parallel
from .account import Memory, account, anatomy
from .parallel import Split
from .recipe import Recipe

TRACED = Source("measured", "traced steps of transformers 5.23.0, peft 0.21.2, bitsandbytes 0.50.2, torch 2.13.0", "2026-11-21")
TRACED_METHODS = ("full", "lora", "rslora", "qlora")

SPELLINGS: dict[str, dict[Any, Any]] = {
    "dtype": {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32", "mixed": "amp"},
    "adapter_dtype": {"auto": "fp32", "": "fp32", "float32": "fp32", "bf16": "base"},
    "kbit_prep": {"peft": True, "none": False, "": True, None: True},
    "checkpointing": {"on": True, "off": False},
    "accumulate": {"on": True, "off": False},
    "optimizer": {"adamw8bit-sim": "adamw8bit", "adamw_8bit": "adamw8bit", "adamw_torch": "adamw", "paged_adamw": "paged-adamw"},
    "targets": {"": "all-linear"},
    "padded": {"padded": True, "none": False},
    "attention": {"flash2": "flash", "flash_attention_2": "flash"},
}
"""Other ways to say a setting, as configurations and tables write them."""


@dataclass(frozen=True)
class Training:
    """What one step takes on one device. `peak_bytes` is the allocator's peak (tensors and kernels' own workspaces)."""

    model: ModelSpec
    recipe: Recipe
    split: Split
    memory: Memory
    breakdown: Breakdown
    """Claims at the peak in pool "vram:0", and beside it: what the libraries and the driver add."""
    machine: Machine | None = None
    algorithm: str = "sft"
    source: Source = TRACED
    host_bytes: int = 0
    """What rests in host memory or on disk instead (offload)."""
    asked: dict[str, Any] = field(default_factory=dict)

    @property
    def peak_bytes(self) -> int:
        """The peak of what the step allocates."""
        return int(plain(self.breakdown.total_bytes)) - int(plain(self.breakdown.bytes("overhead")))

    @property
    def allocated_bytes(self) -> int:
        """As `torch.cuda.max_memory_allocated` tells it: with cuBLAS's workspaces."""
        return self.peak_bytes + workspace_bytes(self.machine)

    @property
    def reserved_bytes(self) -> int:
        """As `max_memory_reserved`: allocated and the allocator's fragments, at their median."""
        return self.allocated_bytes * _reserve(self.recipe)["percent"] // 100

    @property
    def process_bytes(self) -> int:
        """As nvidia-smi: reserved and the CUDA context."""
        return self.reserved_bytes + int(data_json("training_overheads.json")["context"]["bytes"])

    @property
    def site(self) -> str:
        """The operation that makes the peak."""
        return self.memory.peak_event

    @property
    def trained_parameters(self) -> int:
        return self.memory.trained

    @property
    def parameters(self) -> int:
        return self.memory.parameters

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

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model.name,
            "machine": self.machine.name if self.machine else None,
            "algorithm": self.algorithm,
            "recipe": dataclasses.asdict(self.recipe),
            "split": dataclasses.asdict(self.split),
            "parameters": self.parameters,
            "trained_parameters": self.trained_parameters,
            "peak_bytes": self.peak_bytes,
            "peak_at": self.site,
            "parts": {f"{part}_bytes": bytes for part, bytes in self.by_part().items()},
            "allocated_bytes": self.allocated_bytes,
            "reserved_bytes": self.reserved_bytes,
            "process_bytes": self.process_bytes,
            "host_bytes": self.host_bytes,
            "limit_bytes": self.limit_bytes,
            "fits": self.fits,
            "source": dataclasses.asdict(self.source),
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


def train(
    model: ModelSpec | str,
    method: str = "qlora",
    dtype: str = "bf16",
    optimizer: str = "adamw",
    micro_batch: int = 1,
    sequence_tokens: int = 2048,
    checkpointing: bool = True,
    attention: str = "flash",
    rank: int = 16,
    targets: str | tuple[str, ...] | list[str] = "all-linear",
    machine: Machine | str | None = None,
    algorithm: str = "sft",
    teacher: ModelSpec | str | None = None,
    generations: int = 8,
    split: Split | None = None,
    **settings: Any,
) -> Training:
    """What one training step takes on one device: weights, gradients, optimizer, activations, logits, temporaries at the peak.

    Counted: all that transformers, PEFT and bitsandbytes allocate for a micro-batch. Not counted in `peak_bytes`: cuBLAS's
    workspaces, the allocator's fragments and the driver's context (`allocated_bytes`, `reserved_bytes`, `process_bytes`).
    Further settings are the fields of Recipe (adapter_dtype, kbit_prep, accumulate, loss, dropout, …). Raises UserError.
    """
    if isinstance(model, str):
        from sizeup.readers import read

        model = read(model)
    if isinstance(teacher, str):
        from sizeup.readers import read

        teacher = read(teacher)
    if isinstance(machine, str):
        from sizeup.probe import machine as find_machine

        machine = find_machine(machine)
    given = {
        "method": method, "dtype": dtype, "optimizer": optimizer, "micro_batch": micro_batch, "sequence_tokens": sequence_tokens,
        "checkpointing": checkpointing, "attention": attention, "rank": rank,
        "targets": tuple(targets) if isinstance(targets, list) else targets, **settings,
    }  # fmt: skip
    recipe = make_recipe(given)
    split = split or Split()
    check.check(model, recipe)
    parallel.check(model, split, recipe.sequence_tokens)
    run = replace(recipe, micro_batch=companions.sequences(algorithm, recipe))
    check.check_adapters(model, run, [block for block, _ in anatomy(model, run)[1]])
    memory = account(model, run)
    beside = companions.claims(algorithm, model, recipe, teacher, generations, "vram:0")
    asked = {**given, "algorithm": algorithm, "teacher": teacher, "generations": generations, "split": split}
    known = recipe.method in TRACED_METHODS and recipe.dtype != "bf16-master" and split.alone and algorithm == "sft"
    parts, host = _parts(model, recipe, split, memory)
    claims = [Claim(part, "vram:0", bytes) for part, bytes in parts.items() if plain(bytes)]
    training = Training(
        model, recipe, split, memory, Breakdown((*claims, *beside)), machine, algorithm,
        TRACED if known else parallel.DERIVED, host, asked,
    )  # fmt: skip
    extra = training.process_bytes - training.peak_bytes
    return replace(training, breakdown=Breakdown((*claims, *beside, Claim("overhead", "vram:0", extra))))


def make_recipe(given: dict[str, Any]) -> Recipe:
    """A recipe from keywords; an unknown one is an error that names the nearest."""
    known = [item.name for item in dataclasses.fields(Recipe)]
    values = {}
    for name, value in given.items():
        name = "padded" if name == "mask" else name
        if name not in known:
            near = close_names(name, known, 1, 0.4)
            raise UserError(f"Training has no setting “{name}”.", near[0] if near else ", ".join(known))
        spelled = SPELLINGS.get(name, {})
        values[name] = spelled[value] if isinstance(value, (str, type(None))) and value in spelled else value
    return Recipe(**values)


def _parts(model: ModelSpec, recipe: Recipe, split: Split, memory: Memory) -> tuple[dict[str, Any], int]:
    """Bytes per part at the peak of one device, in the order of PARTS; and what rests elsewhere."""
    sites = [_named(memory.peak_parts)]
    host = 0
    if not split.alone:
        block = max(int(group.block.parameters(model.hidden)) for group in model.groups) * recipe.base_width
        sites = [
            parallel.sharded(_named(parts), split, block, memory.expert_bytes, recipe.checkpointing)
            for parts in (memory.peak_parts, memory.end_parts)
        ]
        host = int(plain(parallel.offloaded(_named(memory.end_parts), split)))
    best = max(sites, key=lambda parts: sum(plain(bytes) for bytes in parts.values()))
    return {part: best[part] for part in PARTS if part in best}, host


def _named(parts: dict[str, Any]) -> dict[str, Any]:
    """The tape's parts by the names of a breakdown: inputs and tables are buffers."""
    named = dict(parts)
    named["buffers"] = named.get("buffers", 0) + named.pop("inputs", 0)
    return named
