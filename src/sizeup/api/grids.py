"""A grid of mixes and contexts as JSON."""

from __future__ import annotations

from typing import Any

from ..facts import data_json
from ..grid import Cell, Grid
from .plans import speed_json


def grid_json(found: Grid) -> dict[str, Any]:
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


def cell_json(cell: Cell) -> dict[str, Any]:
    """One mix at one context."""
    pool, free = cell.tightest or (None, None)
    return {
        "quant": cell.quant,
        "context_tokens": cell.context_tokens,
        "verdict": cell.verdict,
        "reason": cell.reason or None,
        "total_bytes": None if cell.plan is None else cell.plan.breakdown.total_bytes,
        "tightest_pool": pool,
        "free_bytes": free,
        "decode": speed_json(cell.speed),
        "quality_kept": cell.kept,
        "command": None if cell.plan is None else cell.plan.command,
    }
