"""From a term's example in data/glossary.json to figures: which machine, which model, which kind."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sizeup.errors import SizeupError
from sizeup.facts import data_json
from sizeup.hardware import Machine
from sizeup.layers.attention import LatentAttention
from sizeup.model import ModelSpec

from .scene import Figures, Found, Scene

KINDS: Mapping[str, tuple[str, ...]] = {
    "stored": ("stored", "bits", "count", "layer", "table", "sibling", "pruned", "kept", "licence", "ghost"),
    "cached": ("cache", "cache_types", "longest", "heads", "latent", "window", "state", "sequences"),
    "held": ("part", "compute", "flash", "row", "whole", "tower"),
    "paced": ("decode", "prefill", "prompt", "answer", "batch", "experts", "offload", "draft", "flops", "loading", "paging", "ahead"),
    "boxes": ("memory", "limit", "instructions", "neural", "crossing", "split"),
    "trained": ("training", "states", "checkpointing", "accumulated", "shards", "chinchilla"),
    "counted": ("words", "vectors", "exact"),
}
"""Every kind of example under the module that has its function. Loaded when a term needs it: most need no training, many no search."""


def kind(name: str) -> Callable[..., Found]:
    """The function that works out this kind. Raises KeyError."""
    module = next((module for module, names in KINDS.items() if name in names), None)
    if module is None:
        raise KeyError(name)
    function: Callable[..., Found] = getattr(importlib.import_module(f".{module}", __package__), name)
    return function


HAS: Mapping[str, Callable[[Machine], bool]] = {
    "card": lambda machine: any(device.pool.startswith("vram") for device in machine.devices),
    "unified": lambda machine: any(device.pool == "unified" for device in machine.devices),
    "features": lambda machine: bool(machine.cpu and machine.cpu.features),
}
"""What a machine may lack that a term is about."""

OF_MACHINES = (*HAS, "runs")
"""Reasons that are the machine's."""

IS: Mapping[str, Callable[[ModelSpec], bool]] = {
    "moe": lambda model: model.active_parameters < model.parameters and not model.towers,
    "mla": lambda model: any(isinstance(part, LatentAttention) for group in model.groups for part in group.block.mixers),
    "gqa": lambda model: any(_shared(part) for group in model.groups for part in group.block.mixers),
    "window": lambda model: any(getattr(part, "window", 0) for group in model.groups for part in group.block.mixers),
    "state": lambda model: any(int(part.state_values()) for group in model.groups for part in group.block.mixers),
    "mtp": lambda model: bool(model.draft_blocks),
    "vision": lambda model: any(tower.tokens_per_image for tower in model.towers),
    "published": lambda model: model.stored != "gguf",
}
"""What a model may lack that a term is about. A file whose formats are fixed is not "published": no other format can be made of it."""


def _shared(part: object) -> bool:
    heads, kv_heads = getattr(part, "heads", 0), getattr(part, "kv_heads", 0)
    return bool(kv_heads and heads > kv_heads)


class Example(NamedTuple):
    """A term's rule with figures in it."""

    kind: str
    variant: str
    figures: Figures
    machine: Machine
    model: ModelSpec
    typed: str
    """What one types to name the model."""
    instead: tuple[str, ...]
    """What the person's own machine or model lacks, so that a named one stands in."""
    own_machine: Machine
    own_model: str = ""
    """The model that a person named; "" when nobody did."""

    @property
    def key(self) -> str:
        """Of its sentence."""
        return f"{self.kind}.{self.variant}" if self.variant else self.kind


def work_out(
    wanted: Mapping[str, Any], machine: Machine, model: str | None, read: Callable[[str], ModelSpec], language: str = "en"
) -> Example:
    """The example that `wanted` (a row of the glossary) asks for, on this machine and with this model.

    Without a model it takes the row's own, else the largest of a short list whose weights the machine has room for. Where the machine
    or the model lacks what the term is about, or nothing can be worked out for it, a named one stands in and `instead` says so. Raises
    what reading the model raises.
    """
    facts = data_json("glossary.json")
    instead: list[str] = []
    own = machine
    if (needs := wanted.get("needs")) and not HAS[needs](machine):
        from sizeup.probe import machine as described

        instead.append(needs)
        machine = described(facts["instances"][needs])
    typed = model or wanted.get("model") or _roomy(machine, read, facts["models"])
    chosen = read(typed)
    for trait in wanted.get("wants", ()):
        if not IS[trait](chosen):
            typed = facts["instances"][trait]
            chosen = read(typed)
            # What nobody named is just another example.
            instead += [trait] if model is not None else []
    settings = {key: value for key, value in wanted.items() if key not in ("kind", "needs", "wants", "model")}
    try:
        variant, figures = kind(wanted["kind"])(Scene(machine, chosen, language), **settings)
    except (SizeupError, StopIteration):
        # An encoder writes no tokens, a server loads no GGUF, llama.cpp has no backend for a TPU.
        if model is not None:
            other = work_out(wanted, own, None, read, language)
            return other._replace(instead=(*other.instead, "model"), own_model=model)
        if machine.name == facts["instances"]["runs"]:
            raise
        from sizeup.probe import machine as described

        other = work_out(wanted, described(facts["instances"]["runs"]), None, read, language)
        return other._replace(instead=(*other.instead, "runs"), own_machine=own)
    return Example(wanted["kind"], variant, figures, machine, chosen, typed, tuple(instead), own, model or "")


def _roomy(machine: Machine, read: Callable[[str], ModelSpec], names: list[str]) -> str:
    """The first of these whose weights fit, else the last."""
    for name in names:
        scene = Scene(machine, read(name))
        if scene.weights() < scene.place.free_bytes:
            return name
    return names[-1]
