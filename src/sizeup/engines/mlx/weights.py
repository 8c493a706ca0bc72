"""Bytes of a model's weights under mlx-lm: the language model alone, since mlx-lm leaves encoders of pictures and sound out."""

from __future__ import annotations

from collections.abc import Iterator

from ...figure import plain
from ...layers import Shape, count
from ...model import ModelSpec
from .formats import Format


def weight_bytes(model: ModelSpec, format: Format) -> int:
    """Every weight once, a tied head too; computed once for a model and a format."""
    kept: dict[Format, int] = model.__dict__.setdefault("_mlx_weights", {})
    found = kept.get(format)
    if found is None:
        hidden = int(plain(model.hidden))
        found = sum(format.bytes(name, shape) for name, shape in outside(model))
        for group in model.groups:
            size = sum(format.bytes(name, shape) for part in group.block.parts for name, shape in part.stored(hidden))
            # Weights that a checkpoint holds and no token uses are not in the model.
            unused = int(count(group.block.stored(hidden)) - plain(group.block.parameters(hidden)))
            found += (size - unused * format.float_bytes) * len(group.positions)
        kept[format] = found
    return found


def outside(model: ModelSpec) -> Iterator[tuple[str, Shape]]:
    """Weights that are in no block."""
    hidden = int(plain(model.hidden))
    yield from model.embedding.stored(hidden)
    yield from model.head.stored(hidden)
