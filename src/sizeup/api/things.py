"""Models, machines and ghosts as JSON: what was read, from where."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, cast

from ..facts import Source
from ..hardware import Machine
from ..model import ModelSpec
from ..shape import as_json
from .fields import fields

if TYPE_CHECKING:
    from ..ghost.keepsake import Keepsake
    from ..probe.table import Part


class GroupJson(TypedDict):
    """Equal layers."""

    layers: int
    positions: list[int]
    parts: list[dict[str, Any]]
    parameters: int


class TowerJson(TypedDict):
    """A vision or audio encoder."""

    kind: str
    parameters: int


class ModelJson(TypedDict):
    """What was read of a model."""

    name: str
    architecture: str | None
    model_type: str | None
    parameters: int
    active_parameters: int
    stored: str
    quant: str | None
    stored_bytes: int | None
    tensors: int | None
    hidden: int
    vocabulary_tokens: int
    context_tokens: int | None
    layers: int
    groups: list[GroupJson]
    towers: list[TowerJson]
    draft_layers: int
    source: Source
    warnings: list[str]
    assumed: list[str]
    card: dict[str, Any]


class DeviceRowJson(TypedDict):
    """One row of the device table."""

    name: str
    vendor: str
    kind: str
    family: str
    memory_bytes: int
    exact_memory: bool
    most_sold: bool
    bytes_per_s: float | None
    measured_fraction: float | None
    options_bytes: list[int]
    cpu_cores: int
    fp32_flops: float | None
    fp16_flops: float | None
    int8_ops: float | None
    tdp_watts: float | None
    links: str
    aliases: list[str]
    grade: str
    source: str
    notes: str
    launch_date: str
    launch_usd: float | None
    date: str


class KnownJson(TypedDict):
    """Devices and machines whose names hold a word."""

    devices: list[DeviceRowJson]
    machines: list[str]


def model_json(model: ModelSpec) -> ModelJson:
    """What was read of a model, with its layers by kind and where it is from."""
    return {
        "name": model.name,
        "architecture": model.architecture or None,
        "model_type": model.model_type or None,
        "parameters": model.parameters,
        "active_parameters": model.active_parameters,
        "stored": model.stored,
        "quant": model.mix,
        "stored_bytes": sum(t.bytes for t in model.tensors) if model.tensors and all(t.type for t in model.tensors) else None,
        "tensors": len(model.tensors) or None,
        "hidden": model.hidden,
        "vocabulary_tokens": model.vocabulary,
        "context_tokens": model.context_tokens,
        "layers": model.layers,
        "groups": [
            {
                "layers": group.layers,
                "positions": list(group.positions),
                "parts": [{"kind": type(part).__name__, **_shapes(part)} for part in group.block.parts[:-1]],
                "parameters": int(group.block.parameters(model.hidden)),
            }
            for group in model.groups
        ],
        "towers": [{"kind": tower.kind, "parameters": tower.parameters()} for tower in model.towers],
        "draft_layers": sum(group.layers for group in model.draft_blocks),
        "source": as_json(model.source),
        "warnings": list(model.warnings),
        "assumed": list(model.assumed),
        "card": {
            key: model.card.get(key) for key in ("id", "license", "release_date", "modality", "check", "published_source") if model.card
        },
    }


def ghost_json(model: ModelSpec, ghost: Keepsake, where: Path) -> dict[str, Any]:
    """A ghost that was written: its files, its tensors beside our count, and the commands that load it."""
    return {
        "model": model.name,
        "folder": str(where),
        "format": ghost.format,
        "class": ghost.class_name or None,
        "dtype": ghost.dtype or None,
        "tensors": ghost.tensors,
        "parameters": ghost.parameters or None,
        "expected_parameters": model.parameters,
        "file_bytes": ghost.file_bytes,
        "disk_bytes": ghost.disk_bytes,
        "files": [{"name": file.name, "file_bytes": file.file_bytes, "disk_bytes": len(file.content)} for file in ghost.files],
        "notes": list(ghost.notes),
        "commands": list(ghost.commands_for(where)),
    }


def machine_json(machine: Machine) -> Machine:
    """A machine: pools, devices, disks, limits, each with its source."""
    return as_json(machine)


def known_json(parts: Sequence[Part], machines: Sequence[str]) -> KnownJson:
    """Rows of the device table, and names of whole machines."""
    rows = [cast(DeviceRowJson, part._asdict() | {"source": part.source.where, "date": part.source.date}) for part in parts]
    return {"devices": rows, "machines": list(machines)}


def _shapes(part: Any) -> dict[str, Any]:
    return {
        name: (_shapes(value) if dataclasses.is_dataclass(value) else value)
        for name, value in fields(part).items()
        if value not in (0, "", False, None)
    }
