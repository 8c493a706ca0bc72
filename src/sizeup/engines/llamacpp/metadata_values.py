"""Values of a GGUF file by block, and what a config says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...layers import Block
from ...model import ModelSpec

Hyper = dict[str, Any]


def alike(values: Sequence[Any]) -> Any:
    """One value where all blocks agree, else the list."""
    return values[0] if len(set(values)) == 1 else list(values)


def first_of(stack: list[Block], kind: type) -> Any:
    return next((part for block in stack for part in block.mixers if isinstance(part, kind)), None)


def of_blocks(stack: list[Block], kind: type, value: Callable[[Any], int]) -> list[int]:
    """One value per block: of its part of this kind, else 0."""
    return [next((value(part) for part in block.mixers if isinstance(part, kind)), 0) for block in stack]


def config(spec: ModelSpec, *names: str) -> Any:
    """The first of these that the config says, of the text model where it is one of several; dots lead into sections."""
    tables = (spec.hyper, spec.hyper.get("text_config"))
    return next((value for name in names for table in tables if (value := _at(table, name)) is not None), None)


def _at(table: Any, path: str) -> Any:
    for name in path.split("."):
        table = table.get(name) if isinstance(table, dict) else None
    return table
