"""A grid of mixes and contexts as JSON."""

from __future__ import annotations

from typing import TypedDict

from ..facts import data_json
from ..figure import plain
from ..grid import Cell, Grid
from .plans import SpeedJson, speed_json


class CellJson(TypedDict):
    """One mix at one context; null where the engine refuses it or nobody can know."""

    quant: str
    context_tokens: int
    verdict: str
    reason: str | None
    total_bytes: int | None
    tightest_pool: str | None
    free_bytes: int | None
    decode_full: SpeedJson | None
    """Over a full context."""
    quality_kept: float | None
    command: str | None


class GridJson(TypedDict):
    """Every mix at every context."""

    model: str
    machine: str
    engine: str
    quants: list[str]
    contexts_tokens: list[int]
    tight_share: float
    cells: list[CellJson]


def grid_json(found: Grid) -> GridJson:
    """Every cell with its verdict, bytes, room, speed and quality."""
    return {
        "model": found.model.name,
        "machine": found.machine.name,
        "engine": found.engine,
        "quants": list(found.quants),
        "contexts_tokens": list(found.contexts),
        "tight_share": data_json("preference.json")["tight"]["share"],
        "cells": [cell_json(cell) for cell in found.cells],
    }


def cell_json(cell: Cell) -> CellJson:
    """One mix at one context."""
    pool, free = cell.tightest or (None, None)
    return {
        "quant": cell.quant,
        "context_tokens": cell.context_tokens,
        "verdict": cell.verdict,
        "reason": cell.reason or None,
        "total_bytes": None if cell.plan is None else int(plain(cell.plan.breakdown.total_bytes)),
        "tightest_pool": pool,
        "free_bytes": free,
        "decode_full": speed_json(cell.speed),
        "quality_kept": cell.kept,
        "command": None if cell.plan is None else cell.plan.command,
    }
