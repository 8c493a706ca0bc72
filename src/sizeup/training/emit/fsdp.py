"""FSDP2 as accelerate's YAML."""

from __future__ import annotations

from .accelerate import fsdp
from .wanted import Emitted, Wanted


def emit(found: Wanted) -> Emitted:
    """ZeRO 3 as full sharding, ZeRO 1 and 2 as sharding without freeing the gathered weights."""
    return fsdp(found)
