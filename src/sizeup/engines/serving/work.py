"""What one step reads and computes on every rank of a server."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from ...figure import Number, plain
from ...layers import Moe
from ...model import ModelSpec
from ...work import Share, Work, experts_read, matrix_flops
from .formats import Format
from .shards import outside, pieces
from .stages import blocks, spans
from .weights import Rank, stored_bytes

LOOKED_UP = re.compile(r"token_embd|position_embd|per_layer_token_embd")
"""Of these a token reads one row."""


class Cached(Protocol):
    """What must be known of a layer's cache."""

    @property
    def kind(self) -> str: ...
    @property
    def page_bytes(self) -> Number: ...
    @property
    def block_tokens(self) -> Number: ...
    @property
    def window(self) -> int: ...
    @property
    def layer(self) -> int: ...


def work(
    model: ModelSpec, form: Format, ranks: int, stages: int, kept: Sequence[Cached], tokens: int, depth: int, sequences: int
) -> tuple[Work, ...]:
    """One step of `tokens` new tokens for each of `sequences` that hold `depth` tokens already, rank by rank.

    Ranks of one stage work at the same time, stages one after another. Logits are computed for the last token of each sequence.
    """
    found: list[Work] = []
    every, ranks, new = blocks(model), int(plain(ranks)), tokens * sequences
    for stage, span in enumerate(spans(len(every), int(plain(stages)))):
        rank = Rank(stage, int(plain(stages)), ranks)
        shares: dict[tuple[str, bool, float], list[float]] = {}
        mixing, routers = 0.0, 0
        for number in span:
            block = every[number]
            feed = block.feed
            routers += isinstance(feed, Moe)
            for piece in pieces(block, int(model.hidden), ranks):
                routed = piece.kind == "experts" and isinstance(feed, Moe)
                share = float(experts_read(feed.experts, feed.used, new)) / feed.experts if routed and isinstance(feed, Moe) else 1.0
                met = new * feed.used / feed.experts if routed and isinstance(feed, Moe) else float(new)
                kind = {"linear": form.linear, "experts": form.experts, "plain": form.plain}[piece.kind].name
                entry = shares.setdefault((kind, routed, met / share if share else met), [0.0, 0.0])
                entry[0] += stored_bytes(piece, form) * share
                entry[1] += float(matrix_flops(piece.elements, met))
            for part in block.mixers:
                seen = min(depth + tokens, int(getattr(part, "window", 0)) + tokens) if getattr(part, "window", 0) else depth + tokens
                mixing += float(part.mixing_flops(seen)) * new / ranks
        head = model.embedding if model.head.tied else model.head
        for piece in outside(head, int(model.hidden), int(model.vocabulary), ranks) if rank.last else ():
            if piece.name in ("token_embd.weight", "output.weight"):
                entry = shares.setdefault((form.plain.name, False, float(sequences)), [0.0, 0.0])
                entry[0] += stored_bytes(piece, form)
                entry[1] += float(matrix_flops(piece.elements, sequences))
        cache, state = _kept(kept, span, tokens, depth, sequences)
        told = tuple(Share(kind, read, flops, rows, routed) for (kind, routed, rows), (read, flops) in shares.items())
        for number in range(stage * ranks, (stage + 1) * ranks):
            found.append(Work(f"vram:{number}", len(span), routers, told, cache, state, mixing, new, depth))
    return tuple(found)


def _kept(kept: Sequence[Cached], span: range, tokens: int, depth: int, sequences: int) -> tuple[float, float]:
    """Bytes of the cache that are read, and of states that are read and written, on one rank."""
    cache = state = 0.0
    for entry in kept:
        if entry.layer not in span:
            continue
        if entry.kind == "state":
            state += 2 * float(entry.page_bytes) * sequences
        else:
            seen = min(depth + tokens, entry.window + tokens) if entry.window else depth + tokens
            cache += float(entry.page_bytes) / float(entry.block_tokens) * seen * sequences
    return cache, state
