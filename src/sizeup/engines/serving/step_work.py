"""What a step of a server reads and computes, summed up once for a stage and then known for every batch, depth and chunk.

`work.work` counts one step exactly, layer by layer; a planner asks for thousands. Both count alike (tests/test_serving_load.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...figure import Number, least, plain, total
from ...layers import Moe
from ...model import ModelSpec
from ...work import experts_read, matrix_flops
from .formats import Format
from .shards import outside, pieces
from .stages import blocks, spans
from .weights import Rank, stored_bytes
from .work import Cached


class Routed(NamedTuple):
    """Routed experts of alike layers, on one rank."""

    bytes: float
    """All of them."""
    flops: float
    """For one token, in the experts that it chose."""
    experts: int
    used: int


class Seen(NamedTuple):
    """What layers of one window do with the tokens that a sequence holds, on one rank."""

    window: int
    """Tokens that they look back; 0 is all."""
    bytes: float
    """Read for each token seen."""
    flops: float
    """For each new token and each token seen."""


class StageWork(NamedTuple):
    """One rank of one pipeline stage; its ranks work alike and at the same time."""

    layers: int
    expert_layers: int
    ranks: int
    hidden: int
    bytes: float
    """Weights that every step reads: all but routed experts."""
    flops: float
    """For each new token."""
    head_flops: float
    """For each sequence: logits of its last token."""
    routed: tuple[Routed, ...]
    seen: tuple[Seen, ...]
    state_bytes: float
    """Recurrent states, read and written, for each sequence."""
    state_flops: float
    """Of mixing that does not grow with what is seen, for each new token."""


class Step(NamedTuple):
    """The tokens of one step; numbers of any kind."""

    batch: Number
    """Sequences that each write a token."""
    depth: Number = 0
    """Tokens that each of them holds."""
    chunk: Number = 0
    """Tokens that are read of each prompt."""
    chunk_depth: Number = 0
    """Tokens of the prompt that are in the cache already."""
    prompts: Number = 1

    @property
    def tokens(self) -> Number:
        return self.batch + self.chunk * self.prompts


def stage_works(model: ModelSpec, form: Format, ranks: int, stages: int, kept: Sequence[Cached]) -> tuple[StageWork, ...]:
    """Every stage of a model that is split over `ranks` x `stages` cards. Experts are split like all other matrices: a server that
    keeps whole experts on a rank reads as much, on average."""
    count, ranks, stages = len(blocks(model)), int(plain(ranks)), int(plain(stages))
    return tuple(_stage(model, form, Rank(number, stages, ranks), span, kept) for number, span in enumerate(spans(count, stages)))


def _stage(model: ModelSpec, form: Format, rank: Rank, span: range, kept: Sequence[Cached]) -> StageWork:
    every, hidden, ranks = blocks(model), int(model.hidden), rank.ranks
    read = flops = head = states = state_flops = 0.0
    routed: dict[tuple[int, int], list[float]] = {}
    seen: dict[int, list[float]] = {}
    for number in span:
        feed = every[number].feed
        for piece in pieces(every[number], hidden, ranks):
            if piece.kind == "experts" and isinstance(feed, Moe):
                entry = routed.setdefault((feed.experts, feed.used), [0.0, 0.0])
                entry[0] += stored_bytes(piece, form)
                entry[1] += float(matrix_flops(piece.elements, feed.used / feed.experts))
            else:
                read += stored_bytes(piece, form)
                flops += float(matrix_flops(piece.elements, 1))
        for part in every[number].mixers:
            none, one = float(part.mixing_flops(0)) / ranks, float(part.mixing_flops(1)) / ranks
            seen.setdefault(int(getattr(part, "window", 0) or 0), [0.0, 0.0])[1] += one - none
            state_flops += none
    for cache in kept:
        if cache.layer not in span:
            continue
        if cache.kind == "state":
            states += 2 * float(cache.page_bytes)
        else:
            seen.setdefault(cache.window, [0.0, 0.0])[0] += float(cache.page_bytes) / float(cache.block_tokens)
    if rank.last:
        for piece in outside(model.embedding if model.head.tied else model.head, hidden, int(model.vocabulary), ranks):
            if piece.name in ("token_embd.weight", "output.weight"):
                read += stored_bytes(piece, form)
                head += float(matrix_flops(piece.elements, 1))
    experts = tuple(Routed(each[0], each[1], number, used) for (number, used), each in routed.items())
    looked_back = tuple(Seen(window, each[0], each[1]) for window, each in sorted(seen.items()))
    expert_layers = sum(isinstance(every[number].feed, Moe) for number in span)
    return StageWork(len(span), expert_layers, ranks, hidden, read, flops, head, experts, looked_back, states, state_flops)


def expert_bytes(stage: StageWork, step: Step) -> Number:
    """Routed experts that at least one token of the step chose: the more tokens, the more of them."""
    return total([part.bytes / part.experts * experts_read(part.experts, part.used, step.tokens) for part in stage.routed])


def cache_bytes(stage: StageWork, step: Step) -> Number:
    """Keys and values that are read, of every sequence its own."""
    return total(
        [
            part.bytes * (step.batch * looked(part, step.depth, 1) + step.prompts * looked(part, step.chunk_depth, step.chunk))
            for part in stage.seen
        ]
    )


def moved_bytes(stage: StageWork, step: Step) -> Number:
    """All that one rank reads in a step, weights once however many tokens there are."""
    return stage.bytes + stage.state_bytes * step.batch + expert_bytes(stage, step) + cache_bytes(stage, step)


def dense_flops(stage: StageWork, step: Step) -> Number:
    """Of all matrices but routed experts, and of the head for one token of each sequence. A chunk's end is one, too."""
    ends = least(step.chunk, 1) * step.prompts
    return stage.flops * step.tokens + stage.head_flops * (step.batch + ends)


def routed_flops(stage: StageWork, step: Step) -> Number:
    """Of the experts that the tokens chose."""
    return total([part.flops for part in stage.routed]) * step.tokens


def mixing_flops(stage: StageWork, step: Step) -> Number:
    """Of attention and recurrences; a prompt's token sees half of its chunk."""
    attention = total(
        [
            part.flops
            * (step.batch * looked(part, step.depth, 1) + step.chunk * step.prompts * looked(part, step.chunk_depth, step.chunk / 2))
            for part in stage.seen
        ]
    )
    return attention + stage.state_flops * step.tokens


def looked(part: Seen, depth: Number, new: Number) -> Number:
    """Tokens that a layer looks at: all that a sequence holds, or its window."""
    return (least(depth, part.window) if part.window else depth) + new
