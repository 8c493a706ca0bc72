"""The libraries' own optimizers, by the names of data/optimizers.json."""

from __future__ import annotations

import functools
from typing import Any

RATE = 1e-4

TORCH: dict[str, tuple[str, dict[str, Any]]] = {
    "adamw": ("AdamW", {"fused": True}),
    "adamw-foreach": ("AdamW", {"foreach": True}),
    "sgd": ("SGD", {"foreach": False, "fused": False}),
    "sgdm": ("SGD", {"momentum": 0.9, "foreach": False, "fused": False}),
}
BITSANDBYTES = {"adamw8bit": "AdamW8bit", "lion": "Lion", "lion8bit": "Lion8bit"}
TRACED = (*TORCH, *BITSANDBYTES, "adafactor")


def make(name: str, trained: list[Any]) -> Any:
    """An optimizer of these parameters."""
    if name in TORCH:
        import torch

        kind, settings = TORCH[name]
        return getattr(torch.optim, kind)(trained, lr=RATE, **settings)
    if name in BITSANDBYTES:
        import bitsandbytes.optim

        bitsandbytes.functional.create_dynamic_map = counted(bitsandbytes.functional.create_dynamic_map)
        return getattr(bitsandbytes.optim, BITSANDBYTES[name])(trained, lr=RATE)
    from transformers.optimization import Adafactor

    return Adafactor(trained, lr=RATE, scale_parameter=False, relative_step=False)


def counted(table: Any) -> Any:
    """The code table of 8-bit states, worked out with real numbers: it reads them, and fake tensors have none."""
    if hasattr(table, "__wrapped__"):
        return table

    @functools.wraps(table)
    def made(*args: Any, **rest: Any) -> Any:
        from torch._subclasses.fake_tensor import unset_fake_temporarily

        with unset_fake_temporarily():
            return table(*args, **rest)

    return made
