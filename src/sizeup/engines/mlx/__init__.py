"""MLX through mlx-lm: its accounting of memory and its command line. Rules are of mlx-lm 0.32.2 and MLX 0.32.4."""

from __future__ import annotations

from typing import Any

from .engine import Mlx

ENGINE = Mlx()


def __getattr__(name: str) -> Any:
    if name == "Settings":
        return ENGINE.Settings
    raise AttributeError(name)
