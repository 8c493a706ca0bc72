"""A model's tensors in the formats that a server loads."""

from __future__ import annotations

from ...figure import plain
from ...model import ModelSpec, Tensor
from .formats import Format
from .shards import pieces_kind
from .stages import blocks


def listed(model: ModelSpec, form: Format) -> tuple[Tensor, ...]:
    """As its files store them, or as the layers imply them in this format. Towers are left out."""
    if model.tensors and all(tensor.type for tensor in model.tensors):
        return model.tensors
    found = []
    for outer in (model.embedding, model.head):
        found += [Tensor(name, tuple(int(plain(side)) for side in shape), form.plain.name) for name, shape in outer.stored(model.hidden)]
    types = {"linear": form.linear.name, "experts": form.experts.name, "plain": form.plain.name}
    for number, block in enumerate(blocks(model)):
        for part in block.parts:
            for name, shape in part.stored(model.hidden):
                sides = tuple(int(plain(side)) for side in shape)
                found.append(Tensor(f"blk.{number}.{name}", sides, types[pieces_kind(name, sides, part)]))
    return tuple(found)
