"""llama.cpp (and what embeds it): its accounting of memory and its command line. Rules are of release b11549 (October 2026).

The rules are loaded when they are asked for: the child that runs a model needs none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .engine import LlamaCpp

    ENGINE: LlamaCpp


def __getattr__(name: str) -> Any:
    if name == "ENGINE":
        from .engine import LlamaCpp

        globals()[name] = LlamaCpp()
        return globals()[name]
    if name == "Settings":
        return __getattr__("ENGINE").Settings
    raise AttributeError(name)
