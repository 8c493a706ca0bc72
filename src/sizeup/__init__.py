"""sizeup: whether a language model fits a machine, how fast, and with which settings, before a byte is downloaded.

The public names are loaded on first use, so that `import sizeup` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .comparison import compare as compare
    from .datasets.count import dataset as dataset
    from .derivation import explain as explain
    from .engines.llamacpp.run import run as run
    from .errors import SizeupError as SizeupError
    from .fleet.answer import cluster as cluster
    from .fleet.answer import plan_fleet as plan_fleet
    from .ghost.prove import prove as prove
    from .ghost.rehearse import rehearse as rehearse
    from .markets import machines as machines
    from .memory import account as account
    from .pretraining import pretrain as pretrain
    from .probe import machine as machine
    from .readers import read as read
    from .recommend import models as models
    from .search import fit as fit
    from .search import speed as speed
    from .shrinking import shrink as shrink
    from .tokens.whole import count_tokens as count_tokens
    from .trace.proof import prove_training as prove_training
    from .training.answer import train as train
    from .training.planned import plan_training as plan_training
    from .verification import verify as verify

_HOME = {
    "SizeupError": "errors",
    "account": "memory",
    "cluster": "fleet.answer",
    "compare": "comparison",
    "count_tokens": "tokens.whole",
    "dataset": "datasets.count",
    "explain": "derivation",
    "fit": "search",
    "machine": "probe",
    "machines": "markets",
    "models": "recommend",
    "plan_fleet": "fleet.answer",
    "plan_training": "training.planned",
    "pretrain": "pretraining",
    "prove": "ghost.prove",
    "prove_training": "trace.proof",
    "read": "readers",
    "rehearse": "ghost.rehearse",
    "run": "engines.llamacpp.run",
    "shrink": "shrinking",
    "speed": "search",
    "train": "training.answer",
    "verify": "verification",
}
"""Public name -> the module that holds it. No module of the package carries a public name, or importing it would hide the function."""

__all__ = [
    "SizeupError",
    "account",
    "cluster",
    "compare",
    "count_tokens",
    "dataset",
    "explain",
    "fit",
    "machine",
    "machines",
    "models",
    "plan_fleet",
    "plan_training",
    "pretrain",
    "prove",
    "prove_training",
    "read",
    "rehearse",
    "run",
    "shrink",
    "speed",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'sizeup' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
