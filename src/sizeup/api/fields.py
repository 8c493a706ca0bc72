"""Pieces that several answers have."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..interval import Interval
from ..shape import as_json


def interval_json(interval: Interval | None) -> Interval | None:
    """Lowest, middle and highest value with the source; null when unknown."""
    return None if interval is None else as_json(interval)


def fields(thing: Any) -> dict[str, Any]:
    return {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
