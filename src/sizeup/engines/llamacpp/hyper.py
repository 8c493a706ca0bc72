"""A model's hyper-parameters by GGUF key, wherever the model is from."""

from __future__ import annotations

from typing import Any

from ...model import ModelSpec


def hyper(spec: ModelSpec) -> dict[str, Any]:
    """Key -> number, flag, text or list with one value per block: what the file says, or what its converter would write."""
    if spec.stored == "gguf":
        return {key: value for key, value in spec.hyper.items() if isinstance(value, (int, float, str, list))}
    # Reading a file needs none of the converter's rules.
    from .metadata import derived

    return derived(spec)
