"""What makes a training run fit: the cheapest changes first, one at a time, then together."""

from __future__ import annotations

from typing import Any

from sizeup.errors import UserError

from .answer import train
from .result import Training

CHANGES: tuple[dict[str, Any], ...] = (
    {"checkpointing": True},
    {"loss": "chunked"},
    {"kbit_prep": False},
    {"optimizer": "adamw8bit"},
    {"micro_batch": 1},
    {"method": "lora"},
    {"method": "qlora"},
    {"sequence_tokens": 1024},
    {"sequence_tokens": 512},
)
"""In the order of what they cost: time, then exactness, then what is learned."""

MOST = 3


def cheapest(training: Training) -> list[tuple[dict[str, Any], Training]]:
    """Changes that make it fit, each with its answer: single ones, else as many together as it takes; [] when none do."""
    single, together = [], dict[str, Any]()
    for change in CHANGES:
        if _useless(training, change):
            continue
        found = _changed(training, change)
        if found is not None and found.fits:
            single.append((change, found))
    if single:
        return single[:MOST]
    for change in CHANGES:
        if _useless(training, change):
            continue
        together.update(change)
        found = _changed(training, together)
        if found is not None and found.fits:
            return [(together, found)]
    return []


def _useless(training: Training, change: dict[str, Any]) -> bool:
    """A change that is so already, or that would take more."""
    ((name, value),) = change.items()
    now = getattr(training.recipe, name)
    if name in ("micro_batch", "sequence_tokens"):
        return bool(now <= value)
    order = ("full", "freeze", "lora", "rslora", "dora", "lora8bit", "qlora")
    if name == "method":
        return now not in order or order.index(now) >= order.index(value)
    return bool(now == value)


def _changed(training: Training, change: dict[str, Any]) -> Training | None:
    try:
        return train(training.model, machine=training.machine, **{**training.asked, **change})
    except UserError:
        return None
