"""The public `train`: what a training step takes on one device, part by part, and what makes its peak."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sizeup.figure import plain
from sizeup.hardware import Machine
from sizeup.model import ModelSpec
from sizeup.plan import PARTS, Breakdown, Claim

from . import check, companions, parallel
from .account import Memory, account, anatomy
from .evidence import evidence
from .parallel import Split
from .recipe import Recipe, make_recipe
from .result import Training
from .towers import loaded


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

    Counted: all that transformers, PEFT and bitsandbytes allocate for a micro-batch of text, with the towers that are loaded beside the
    text model (`tower`), which text gives no activations. Not counted in `peak_bytes`: cuBLAS's
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
    if machine is not None and not machine.devices:
        settings.setdefault("device", "cpu")
    given = {
        "method": method, "dtype": dtype, "optimizer": optimizer, "micro_batch": micro_batch, "sequence_tokens": sequence_tokens,
        "checkpointing": checkpointing, "attention": attention, "rank": rank,
        "targets": tuple(targets) if isinstance(targets, list) else targets, **settings,
    }  # fmt: skip
    recipe = make_recipe(given)
    split = split or Split()
    check.check(model, recipe)
    recipe = replace(recipe, tower=loaded(model, recipe))
    parallel.check(model, split, recipe.sequence_tokens)
    run = replace(recipe, micro_batch=companions.sequences(algorithm, recipe))
    described = anatomy(model, run)
    check.check_adapters(model, run, [block for block, _ in described[1]])
    memory = account(model, run, described=described)
    beside = companions.claims(algorithm, model, recipe, teacher, generations, "vram:0")
    asked = {**given, "algorithm": algorithm, "teacher": teacher, "generations": generations, "split": split}
    parts, host = _parts(recipe, split, memory)
    claims = [Claim(part, "vram:0", bytes) for part, bytes in parts.items() if plain(bytes)]
    training = Training(
        model, recipe, split, memory, Breakdown((*claims, *beside)), evidence(model, recipe, split, algorithm), machine, algorithm,
        host, asked,
    )  # fmt: skip
    extra = training.process_bytes - training.peak_bytes
    return replace(training, breakdown=Breakdown((*claims, *beside, Claim("overhead", "vram:0", extra))))


def _parts(recipe: Recipe, split: Split, memory: Memory) -> tuple[dict[str, Any], int]:
    """Bytes per part at the peak of one device, in the order of PARTS; and what rests elsewhere."""
    sites = [_named(memory.peak_parts)]
    host = 0
    if not split.alone:
        sites = [
            parallel.sharded(_named(parts), split, memory.block_bytes, memory.expert_bytes, recipe.checkpointing)
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
