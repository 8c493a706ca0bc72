"""Pieces that several answers have."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..interval import Interval


def interval_json(interval: Interval | None) -> dict[str, Any] | None:
    """Lowest, middle and highest value with the source; null when unknown."""
    return None if interval is None else dataclasses.asdict(interval)


def fields(thing: Any) -> dict[str, Any]:
    return {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
