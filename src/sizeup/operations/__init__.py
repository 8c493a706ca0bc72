"""The table of operations. Each is written once, and the command line, REST and tools for assistants are skins of it.

Nothing of an operation is imported before it is asked for.
"""

from __future__ import annotations

import importlib

from .operation import Operation

_HOME = {
    "fit": "fit:FIT",
    "plan": "plan:EXACT_PLAN",
    "grid": "grid:GRID",
    "models": "models:MODELS",
    "installed": "installed:INSTALLED",
    "machines": "machines:MACHINES",
    "model": "things:MODEL",
    "machine": "things:MACHINE_",
    "compare": "compare:COMPARE",
    "table": "table:TABLE",
    "upgrade": "upgrade:UPGRADE",
    "shrink": "shrink:SHRINK",
    "train": "train:TRAIN",
    "pretrain": "pretrain:PRETRAIN",
    "dataset": "dataset:DATASET",
    "tokens": "tokens:TOKENS",
    "browser": "browser:BROWSER",
    "fleet_plan": "fleet:FLEET_PLAN",
    "explain": "explain:EXPLAIN",
    "prove": "engines:PROVE",
    "rehearse": "engines:REHEARSE",
    "verify": "verify:VERIFY",
    "settings": "settings:SETTINGS_OF",
    "names": "names:NAMES",
    "texts": "words:TEXTS",
}
"""Operation -> the module here that holds it, and its name there."""

NAMES = tuple(_HOME)
"""Every operation, in the order that they are told in."""


def found(name: str) -> Operation:
    """The operation of this name. Raises KeyError."""
    module, _, attribute = _HOME[name].partition(":")
    row: Operation = getattr(importlib.import_module(f".{module}", __name__), attribute)
    return row


def operations() -> list[Operation]:
    """All of them."""
    return [found(name) for name in NAMES]
