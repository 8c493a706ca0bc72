"""Hyper-parameters of a GGUF file, typed: every value is checked when it is asked for."""

from __future__ import annotations

from typing import Any

from ..errors import Unreadable


class Hyper:
    """The keys of one architecture without its prefix. Lists are one value per layer."""

    LARGEST = 1 << 40

    def __init__(self, values: dict[str, Any], where: str) -> None:
        self.values, self.where = values, where

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def count(self, key: str, otherwise: int) -> int:
        """A whole number, or `otherwise` when the file has none. A list answers with its largest."""
        value = self.values.get(key)
        if value is None:
            return otherwise
        if isinstance(value, list) and value:
            value = max(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= self.LARGEST:
            raise Unreadable(f"{self.where} says {key} is {_short(value)}, which is not a count.", "another copy of the file")
        return value

    def need(self, key: str) -> int:
        """A whole number that must be there."""
        if self.values.get(key) is None:
            raise Unreadable(f"{self.where} does not say its {key}.", "a file from a current converter, or --assume")
        return self.count(key, 0)

    def layer(self, key: str, layer: int, otherwise: int = 0) -> int:
        """The value of one layer: of a list its entry, of a number the number."""
        value = self.values.get(key)
        if not isinstance(value, list):
            return self.count(key, otherwise)
        if layer >= len(value):
            raise Unreadable(
                f"{self.where} lists {key} for {len(value)} layers, but layer {layer} asks for it.", "another copy of the file"
            )
        entry = value[layer]
        if isinstance(entry, bool) or not isinstance(entry, int) or not 0 <= entry <= self.LARGEST:
            raise Unreadable(
                f"{self.where} says {key} of layer {layer} is {_short(entry)}, which is not a count.", "another copy of the file"
            )
        return entry


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"
