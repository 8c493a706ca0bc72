"""How long one step takes on one device: bytes over bandwidth, FLOPs over arithmetic, and a fixed time per layer.

    seconds = weights ÷ read rate + FLOPs ÷ arithmetic rate + cache ÷ cache rate + mixing ÷ mixing rate + layers × layer time

A host also waits for each piece of the cache, since a head's keys lie apart from cell to cell (`Pace.cache_row_s`), and spends a
time on each dot product beside its weights (`Pace.dot_s`): matrices of short rows take longer than their bytes say.

One formula for decoding, for batches and for prompts: with one token the first term rules, with hundreds the second. The terms
add up, since kernels of one layer wait for those of the one before. The rates are facts about a device and a backend (`Pace`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .figure import Number, most, step, where
from .work import Share, Work

VECTOR_TOKENS = 8
"""Up to so many tokens a step multiplies matrices by vectors, which pads nothing (llama.cpp's MMVQ_MAX_BATCH_SIZE and its kin)."""


class Pace(NamedTuple):
    """What one device does with one backend. Rates are what is reached, not what is specified."""

    read_bytes_per_s: Mapping[str, Number]
    """By class of number format; "" for those that have no entry."""
    flops_per_s: Mapping[str, Number] | None
    """The same for multiplying; None when nobody knows, and the term is left out."""
    cache_bytes_per_s: Number
    mixing_flops_per_s: Number | None
    layer_s: Number
    """Fixed time of a layer: launches and waiting."""
    expert_layer: Number = 1.0
    """How many times the fixed time of a layer with routed experts is that of a dense one."""
    expert_rows: Number = 0.0
    """Rows by which each expert's share of a batch is padded."""
    cache_row_s: Number = 0.0
    """Seconds for each row of the cache beside its bytes."""
    dot_s: Mapping[str, Number] | None = None
    """Seconds for each dot product beside its weights, while matrices meet vectors; by class as `read_bytes_per_s`."""
    batch_dot_s: Number = 0.0
    """The same in batches, of any class: there it is what is done to each activation between two matrices."""
    vector_mixing_flops_per_s: Number | None = None
    """`mixing_flops_per_s` while matrices meet vectors, where that is another rate."""


class Reads(NamedTuple):
    """Weights of one class of formats in one step, as columns or numbers."""

    kind: str
    bytes: Number
    flops: Number
    rows: Number
    routed: bool
    dots: Number = 0


class Load(NamedTuple):
    """One step's work on one device, its formats gathered into classes."""

    reads: tuple[Reads, ...]
    cache_bytes: Number
    mixing_flops: Number
    layers: Number
    expert_layers: Number
    """Layers with routed experts, of `layers`."""
    tokens: Number
    cache_rows: Number = 0


class Terms(NamedTuple):
    """Seconds by what they are spent on."""

    memory: Number
    compute: Number
    fixed: Number


def load(work: Work, kinds: Mapping[str, str]) -> Load:
    """A pool's work with its formats named by class; `kinds` maps formats to classes, rearranged ones apart by a "+" where it can."""

    def kind(share: Share) -> str:
        rearranged = kinds.get(f"{share.format}+") if share.packed else None
        return rearranged or kinds.get(share.format, "")

    reads = tuple(Reads(kind(share), share.bytes, share.flops, share.rows, share.routed, share.dots) for share in work.shares)
    kept = work.cache_bytes + work.state_bytes
    return Load(reads, kept, work.mixing_flops, work.layers, work.expert_layers, work.tokens, work.cache_rows)


def terms(load: Load, pace: Pace) -> Terms:
    """The seconds of one step on one device, by kind."""
    memory: Number = load.cache_bytes / pace.cache_bytes_per_s + load.cache_rows * pace.cache_row_s
    compute: Number = 0.0
    if pace.mixing_flops_per_s is not None:
        rate, vector = pace.mixing_flops_per_s, pace.vector_mixing_flops_per_s
        compute = load.mixing_flops / (rate if vector is None else where(load.tokens > VECTOR_TOKENS, rate, vector))
    for part in load.reads:
        if pace.dot_s is not None:
            compute = compute + part.dots * where(load.tokens > VECTOR_TOKENS, pace.batch_dot_s, _rate(pace.dot_s, part.kind))
        memory = memory + part.bytes / _rate(pace.read_bytes_per_s, part.kind)
        if pace.flops_per_s is not None:
            flops = padded_flops(part.flops, part.rows, load.tokens, pace.expert_rows) if part.routed else part.flops
            compute = compute + flops / _rate(pace.flops_per_s, part.kind)
    fixed = pace.layer_s * (load.layers + load.expert_layers * (pace.expert_layer - 1))
    return Terms(memory, compute, fixed)


@step("padded_flops")
def padded_flops(flops: Number, rows: Number, tokens: Number, padding: Number) -> Number:
    """FLOPs of experts that each see `rows` tokens of a batch: kernels work on tiles, so few rows cost as much as `padding` more."""
    return where(tokens > VECTOR_TOKENS, flops * (rows + padding) / most(rows, 1e-9), flops)


def _rate(rates: Mapping[str, Number], kind: str) -> Number:
    return rates[kind] if kind in rates else rates[""]
