"""vLLM: its accounting of memory, its pool of cache pages and its command line. Rules are of release 0.33.0 (November 2026)."""

from __future__ import annotations

from typing import Any

from .engine import Vllm

ENGINE = Vllm()


def __getattr__(name: str) -> Any:
    if name == "Settings":
        return ENGINE.Settings
    raise AttributeError(name)
