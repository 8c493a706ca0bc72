"""sizeup: whether a language model fits a machine, how fast, and with which settings, before a byte is downloaded.

The public names are loaded on first use, so that `import sizeup` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .errors import SizeupError as SizeupError
    from .memory import account as account
    from .readers import read as read

_HOME = {
    "account": "memory",
    "read": "readers",
    "SizeupError": "errors",
}
"""Public name -> the module that holds it. Modules are named so that none hides a public name."""

__all__ = ["SizeupError", "account", "read"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'sizeup' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
