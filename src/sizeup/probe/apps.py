"""How much of a phone's memory one app may hold: iOS's jetsam limit as reported, what Android's low-memory killer is supposed to leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sizeup.facts import Source, data_json
from sizeup.units import show_bytes

SYSTEMS = ("ios", "android")
"""Systems that end an app for what it holds."""


@dataclass(frozen=True, slots=True)
class AppLimit:
    """The most that one app may hold, where that is from, and the same in words."""

    bytes: int
    source: Source
    words: str


def app_limit(system: str, memory_bytes: int) -> AppLimit:
    """The limit of this system for so much memory: as somebody reported it for this size, else an assumed share. Raises KeyError for another system.

    Not counted: what a maker's own version of Android changes, and other apps that are in front as well.
    """
    facts = data_json("app_limits.json")
    row: dict[str, Any] | None = next((r for r in facts[system].get("reported", ()) if r["memory_bytes"] == memory_bytes), None)
    other = facts[system]["otherwise"]
    held = row["bytes"] if row else memory_bytes * other["parts"] // other["of"]
    source = Source("published", row["source"], row["date"]) if row else Source("assumed", other["source"], facts["date"])
    if system == "android":
        return AppLimit(
            held, source, f"Android is supposed to leave one app {show_bytes(held)} of {show_bytes(memory_bytes)} (low-memory killer)"
        )
    plain = row["plain_bytes"] if row else memory_bytes * other["plain_parts"] // other["plain_of"]
    return AppLimit(
        held,
        source,
        f"iOS lets one app hold {show_bytes(held)} of {show_bytes(memory_bytes)} with the increased-memory-limit entitlement, "
        f"{show_bytes(plain)} without",
    )
