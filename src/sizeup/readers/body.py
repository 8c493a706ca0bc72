"""What a family's reader hands back: the language model as blocks with what stands before and after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sizeup.layers import Block, Embedding, Extras, Head

Shapes = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Body:
    """A language model without towers. Blocks are in model order; drafts follow them."""

    hidden: int
    vocabulary: int
    embedding: Embedding
    head: Head
    blocks: Sequence[Block]
    drafts: Sequence[Block] = ()
    gguf: str = ""
    """llama.cpp's architecture name when it hangs on more than the model type; "" takes the family's."""
    assumed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def norm(name: str, width: int, kind: str = "rms") -> Shapes:
    """Stored vectors of one norm: "rms" a weight, "layer" a weight and a bias, "none" nothing."""
    if kind == "none":
        return ()
    weight = (f"{name}.weight", (width,))
    return (weight, (f"{name}.bias", (width,))) if kind == "layer" else (weight,)


def norms(names: Sequence[str], width: int, kind: str = "rms") -> Extras:
    """The norms of one block."""
    return Extras(tuple(shape for name in names for shape in norm(name, width, kind)))
