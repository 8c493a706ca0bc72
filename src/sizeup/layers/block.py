"""Blocks, what stands before and after them, and towers beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sizeup.figure import Number, total

from .part import Part, Stored, count


@dataclass(frozen=True, slots=True)
class Extras(Part):
    """Stored things that neither mix tokens nor feed forward: norms, scalars, per-layer inputs. Shapes are absolute."""

    shapes: tuple[tuple[str, tuple[int, ...]], ...]

    def stored(self, hidden: Number) -> Stored:
        yield from self.shapes


@dataclass(frozen=True, slots=True)
class Block:
    """One residual block: token mixers (two when they run side by side, as in Falcon-H1), a feed-forward part, the rest."""

    mixers: tuple[Part, ...]
    feed: Part | None
    norms: Extras
    parallel: bool = False
    """Mixer and feed-forward read the same residual and are added together (Falcon, GPT-J, Phi-2, Command R)."""

    @property
    def parts(self) -> tuple[Part, ...]:
        return (*self.mixers, *((self.feed,) if self.feed is not None else ()), self.norms)

    def stored(self, hidden: Number) -> Stored:
        for part in self.parts:
            yield from part.stored(hidden)

    def parameters(self, hidden: Number) -> Number:
        return total(part.parameters(hidden) for part in self.parts)

    def idle_parameters(self, hidden: Number) -> Number:
        return total(part.idle_parameters(hidden) for part in self.parts)

    def cache_bytes(self, cells: Number, k: Any, v: Any) -> Number:
        return total(part.cache_bytes(cells, k, v) for part in self.mixers)

    def state_values(self) -> Number:
        return total(part.state_values() for part in self.mixers)


@dataclass(frozen=True, slots=True)
class Embedding(Part):
    """Token embedding, learned positions and everything before the first block; per-layer embeddings of Gemma 3n/4."""

    vocabulary: int
    width: int = 0
    """Width when it differs from the residual's (OPT-350M); 0 means the residual's."""
    positions: int = 0
    extras: tuple[tuple[str, tuple[int, ...]], ...] = ()
    per_layer_width: int = 0
    per_layer_vocabulary: int = 0
    """`per_layer_token_embd`: rows of layers x width values; may stay in host memory."""
    layers: int = 0

    def stored(self, hidden: Number) -> Stored:
        yield "token_embd.weight", (self.width or hidden, self.vocabulary)
        if self.positions:
            yield "position_embd.weight", (hidden, self.positions)
        if self.per_layer_width:
            yield "per_layer_token_embd.weight", (self.per_layer_width * self.layers, self.per_layer_vocabulary)
        yield from self.extras


@dataclass(frozen=True, slots=True)
class Head(Part):
    """What follows the last block: final norm and output projection. `tied` means the token embedding is the projection."""

    vocabulary: int
    tied: bool
    bias: bool = False
    norm: tuple[tuple[str, tuple[int, ...]], ...] = ()
    width: int = 0

    def stored(self, hidden: Number) -> Stored:
        yield from self.norm
        if not self.tied:
            yield "output.weight", (self.width or hidden, self.vocabulary)
        if self.bias:
            yield "output.bias", (self.vocabulary,)


@dataclass(frozen=True, slots=True)
class Tower:
    """A vision, audio or encoder tower beside the language model, by what it stores."""

    kind: str
    """"vision", "audio" or "encoder"."""
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()
    uncounted: int = 0
    """Elements known only as a sum (a published count), when no rule gives the shapes."""
    tokens_per_image: int = 0
    pixels_per_token: int = 0
    hidden: int = 0
    layers: int = 0

    def parameters(self) -> int:
        return int(count(iter(self.shapes))) + self.uncounted
