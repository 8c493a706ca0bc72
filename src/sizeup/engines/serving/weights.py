"""What one rank holds of a model's weights, to the byte of PyTorch's allocator."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import NamedTuple

from ...layers import Block, LatentAttention
from ...model import ModelSpec
from ...quant import Quant
from .allocator import allocated
from .formats import Format
from .rotary import table_bytes
from .shards import Piece, outside, pieces
from .stages import blocks, spans


class Rank(NamedTuple):
    """One of the processes that share a model: which stage, and which share of each of its tensors."""

    stage: int
    stages: int
    ranks: int
    """Ranks that split every tensor of the stage."""

    last_too: bool = False
    """Whether the last stages get the layers that are left over."""

    def span(self, layers: int) -> range:
        """The layers of this stage."""
        return spans(layers, self.stages, self.last_too)[self.stage]

    @property
    def first(self) -> bool:
        return self.stage == 0

    @property
    def last(self) -> bool:
        return self.stage == self.stages - 1


class Held(NamedTuple):
    """Bytes of weights on one rank."""

    blocks: int
    unpacked: int
    """Up-projections of latent attention once more, in 16 bits, as decoding absorbs them."""
    embedding: int
    head: int
    towers: int
    tables: int
    """Rotary positions."""
    rounding: int
    """What the allocator adds."""

    @property
    def bytes(self) -> int:
        return sum(self)


def stored_bytes(piece: Piece, form: Format) -> int:
    """Bytes of one allocation in its format, scales included."""
    kind: Quant = {"linear": form.linear, "experts": form.experts, "plain": form.plain}[piece.kind]
    # Biases and vectors are too short for any block format.
    return sum(int(kind.tensor_bytes(row, rows)) * copies for row, rows, copies in piece.shapes)


def held(model: ModelSpec, form: Format, rank: Rank) -> Held:
    """The weights of one rank. The embedding lies on the first stage; the head, and a tied embedding once more, on the last."""
    kept: dict[tuple[Format, Rank], Held] = model.__dict__.setdefault("_held", {})
    if (form, rank) not in kept:
        kept[form, rank] = _held(model, form, rank)
    return kept[form, rank]


def _held(model: ModelSpec, form: Format, rank: Rank) -> Held:
    hidden, vocabulary = int(model.hidden), int(model.vocabulary)
    body: list[Piece] = []
    every = blocks(model)
    for number in rank.span(len(every)):
        body += pieces(every[number], hidden, rank.ranks)
    front = list(outside(model.embedding, hidden, vocabulary, rank.ranks)) if rank.first else []
    back = list(outside(model.head, hidden, vocabulary, rank.ranks)) if rank.last else []
    if rank.last and not rank.first and model.head.tied:
        back += [piece for piece in outside(model.embedding, hidden, vocabulary, rank.ranks) if piece.name == "token_embd.weight"]
    towers = sum(tower.parameters() for tower in model.towers) * form.plain.block_bytes if rank.first else 0
    sizes = [_sum(body, form), _sum(front, form), _sum(back, form)]
    rounding = sum(_rounding(piece, form) for piece in (*body, *front, *back))
    unpacked = sum(_unpacked(every[number], form, rank) for number in rank.span(len(every)))
    return Held(
        sizes[0], unpacked, sizes[1], sizes[2], _split_tower(towers, rank.ranks), table_bytes(model, form.plain.block_bytes), rounding
    )


def _unpacked(block: Block, form: Format, rank: Rank) -> int:
    latent = (part for part in block.mixers if isinstance(part, LatentAttention) and part.absorbed)
    return sum(part.kv_rank * (part.nope_dim + part.value_dim) * -(-part.heads // rank.ranks) * form.plain.block_bytes for part in latent)


def _split_tower(bytes: int, ranks: int) -> int:
    return -(-bytes // ranks)


@functools.lru_cache(maxsize=8192)
def _piece_bytes(piece: Piece, form: Format) -> int:
    return stored_bytes(piece, form)


def _sum(found: Iterable[Piece], form: Format) -> int:
    return sum(_piece_bytes(piece, form) for piece in found)


def _rounding(piece: Piece, form: Format) -> int:
    bytes = _piece_bytes(piece, form)
    return allocated(bytes) - bytes
