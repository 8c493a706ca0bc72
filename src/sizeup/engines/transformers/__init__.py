"""transformers with accelerate and bitsandbytes: its accounting of memory and the Python that starts it. Rules are of release 5.23."""

from __future__ import annotations

from typing import Any

from .engine import Transformers

ENGINE = Transformers()


def __getattr__(name: str) -> Any:
    if name == "Settings":
        return ENGINE.Settings
    raise AttributeError(name)
