"""SGLang: its accounting of memory, its pool of token slots and its command line. Rules are of release 0.5.23 (November 2026)."""

from __future__ import annotations

from typing import Any

from .engine import Sglang

ENGINE = Sglang()


def __getattr__(name: str) -> Any:
    if name == "Settings":
        return ENGINE.Settings
    raise AttributeError(name)
