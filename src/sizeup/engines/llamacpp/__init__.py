"""llama.cpp (and what embeds it): its accounting of memory and its command line. Rules are of release b11549 (October 2026)."""

from __future__ import annotations

from typing import Any

from .engine import LlamaCpp

ENGINE = LlamaCpp()


def __getattr__(name: str) -> Any:
    if name == "Settings":
        return ENGINE.Settings
    raise AttributeError(name)
