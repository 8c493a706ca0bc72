"""How much of a Mac's one memory its GPU may hold: macOS's wired limit, read where it is set, else the default as reported."""

from __future__ import annotations

from dataclasses import dataclass

from sizeup.facts import Source, data_json
from sizeup.units import show_bytes


@dataclass(frozen=True, slots=True)
class MetalLimit:
    """The most that the GPU may wire, where that is from, and the same in words."""

    bytes: int
    source: Source
    words: str


def metal_limit(memory_bytes: int, set_bytes: int = 0) -> MetalLimit:
    """The limit for this much memory; `set_bytes` is iogpu.wired_limit_mb when somebody has set it, 0 otherwise.

    The default is what Metal reports as recommendedMaxWorkingSetSize. Sizes nobody reported follow the rule of their neighbours.
    """
    table = data_json("metal_limits.json")
    if set_bytes:
        limit, source = min(set_bytes, memory_bytes), Source("read", "sysctl iogpu.wired_limit_mb", "")
    else:
        row = next((row for row in table["reported"] if row["memory_bytes"] == memory_bytes), None)
        if row is not None:
            limit, source = row["limit_bytes"], Source("published", row["source"], row["date"])
        else:
            rule = next(rule for rule in table["rule"] if memory_bytes <= (rule["up_to_bytes"] or memory_bytes))
            limit, source = memory_bytes * rule["parts"] // rule["of"], Source("derived", table["what"], table["date"])
    return MetalLimit(
        limit, source, f"macOS lets the GPU hold {show_bytes(limit)} of {show_bytes(memory_bytes)} (sysctl iogpu.wired_limit_mb)"
    )
