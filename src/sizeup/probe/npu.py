"""Neural processors: listed, and said honestly what llama.cpp does with them, which is mostly nothing."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

from sizeup.facts import Source, data_json
from sizeup.hardware import Unused

from .files import names, settings, text
from .found import Found

PLATFORM = "/sys/bus/platform/drivers/RKNPU"
"""Rockchip's own driver is in no class of its own; its folder exists while the driver is loaded."""


def find(root: Path = Path("/")) -> Found:
    """One entry for each kind of NPU whose driver is here."""
    kinds = tuple(dict.fromkeys(_drivers(root)))
    if not kinds:
        return Found()
    known = data_json("integrated_gpus.json")["npus"]
    source = Source("read", "/sys/class/accel and drivers", datetime.date.today().isoformat())
    return Found(unused=tuple(unused(known[kind], source) for kind in kinds if kind in known))


def unused(row: dict[str, str], source: Source) -> Unused:
    """The entry of one row of the table."""
    why = f"llama.cpp uses it only in its {row['builds']} build" if row["builds"] else "llama.cpp does not use it"
    return Unused(row["name"], row["vendor"], "npu", why, source)


def _drivers(root: Path) -> Iterator[str]:
    for name in names(root, "/sys/class/accel"):
        yield settings(text(root, f"/sys/class/accel/{name}/device/uevent")).get("DRIVER", "")
    if names(root, PLATFORM):
        yield "RKNPU"
