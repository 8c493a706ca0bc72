"""Swap: what there is and what of it is free. It is shown, never counted: a model that is swapped out stands still."""

from __future__ import annotations

import datetime
from pathlib import Path

from sizeup.facts import Source
from sizeup.hardware import Swap

from .files import fields, text


def swap(root: Path = Path("/")) -> Swap | None:
    """The swap of this machine; None where there is none or nothing says."""
    found = fields(text(root, "/proc/meminfo"))
    total, free = found.get("SwapTotal", 0), found.get("SwapFree", 0)
    if not 0 < total < 1 << 60:
        return None
    places = [line.split()[0] for line in (text(root, "/proc/swaps") or "").splitlines()[1:] if line.split()]
    compressed = bool(places) and all(place.startswith("/dev/zram") for place in places)
    return Swap(total, min(free, total), compressed, Source("read", "/proc/meminfo, /proc/swaps", datetime.date.today().isoformat()))
