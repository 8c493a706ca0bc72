"""What is on this machine as JSON."""

from __future__ import annotations

from typing import TypedDict

from ..installed.judged import Installed, Judged
from .plans import SpeedJson, speed_json


class InstalledModelJson(TypedDict):
    """One model of a store; `fits` is None when the engine cannot run it, for the `reason`."""

    store: str
    name: str
    path: str
    model: str
    architecture: str
    parameters: int
    quant: str | None
    bytes: int
    fits: bool | None
    reason: str
    context_tokens: int | None
    decode: SpeedJson | None
    disk: str | None
    load_s: float | None
    loaded: bool


class LeftoverJson(TypedDict):
    """What takes room, or a place in a list, and can run nothing."""

    store: str
    kind: str
    name: str
    path: str
    bytes: int
    expected_bytes: int | None
    reason: str


class CopiesJson(TypedDict):
    """One content that lies here several times."""

    paths: list[str]
    bytes: int
    spare_bytes: int
    certain: bool


class ShelfDiskJson(TypedDict):
    """A disk that models lie on."""

    path: str
    kind: str
    bytes: int
    free_bytes: int
    bytes_per_s: float | None
    measured: str


class RunningJson(TypedDict):
    """A server that was asked what it holds."""

    store: str
    address: str
    version: str
    listed: list[str]
    loaded: list[str]
    bytes: int | None
    device_bytes: int | None
    problem: str


class MoveJson(TypedDict):
    """A model that would load faster from another disk with room for it."""

    name: str
    store: str
    disk: str
    load_s: float | None
    faster_disk: str
    faster_load_s: float


class InstalledJson(TypedDict):
    """Every model that is here; `bytes` counts each file once, `spare_bytes` is what second copies and leftovers take."""

    models: list[InstalledModelJson]
    leftovers: list[LeftoverJson]
    copies: list[CopiesJson]
    disks: list[ShelfDiskJson]
    servers: list[RunningJson]
    folders: list[str]
    moves: list[MoveJson]
    bytes: int
    spare_bytes: int


def installed_json(found: Installed) -> InstalledJson:
    """Everything that was found."""
    return {
        "models": [_model(one) for one in found.models],
        "leftovers": [
            {
                "store": one.store,
                "kind": one.kind,
                "name": one.name,
                "path": str(one.path),
                "bytes": one.bytes,
                "expected_bytes": one.expected_bytes,
                "reason": one.reason,
            }
            for one in found.leftovers
        ],
        "copies": [
            {
                "paths": [str(file.path) for file in group.files],
                "bytes": group.files[0].bytes,
                "spare_bytes": group.spare_bytes,
                "certain": group.certain,
            }
            for group in found.copies
        ],
        "disks": [
            {
                "path": disk.path,
                "kind": disk.kind,
                "bytes": disk.bytes,
                "free_bytes": disk.free_bytes,
                "bytes_per_s": disk.bytes_per_s,
                "measured": disk.source.where if disk.bytes_per_s else "",
            }
            for disk in found.disks
        ],
        "servers": [
            {
                "store": one.store,
                "address": one.address,
                "version": one.version,
                "listed": list(one.listed),
                "loaded": list(one.loaded),
                "bytes": one.bytes,
                "device_bytes": one.device_bytes,
                "problem": one.problem,
            }
            for one in found.running
        ],
        "folders": [str(root) for root in found.roots],
        "moves": [
            {
                "name": one.entry.name,
                "store": one.entry.store,
                "disk": one.disk.path if one.disk else "",
                "load_s": one.load_s,
                "faster_disk": disk.path,
                "faster_load_s": one.entry.bytes / (disk.bytes_per_s or 1.0),
            }
            for one, disk in found.slow
        ],
        "bytes": found.bytes,
        "spare_bytes": found.spare_bytes,
    }


def _model(one: Judged) -> InstalledModelJson:
    plan = one.plan
    decode = plan.speed.decode if plan else None
    return {
        "store": one.entry.store,
        "name": one.entry.name,
        "path": str(one.entry.path),
        "model": one.spec.name,
        "architecture": one.spec.architecture or one.spec.model_type,
        "parameters": one.spec.parameters,
        "quant": one.quant,
        "bytes": one.entry.bytes,
        "fits": None if plan is None else plan.fits,
        "reason": one.reason,
        "context_tokens": int(plan.settings.context_tokens) if plan else None,
        "decode": speed_json(decode) if decode else None,
        "disk": one.disk.path if one.disk else None,
        "load_s": one.load_s,
        "loaded": one.loaded,
    }
