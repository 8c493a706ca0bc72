"""Keys, values, indexer keys, recurrent state and the output buffer, per pool.

The layer says bytes per token slot, `slots` says how many slots; here they meet, with what a device pads.
Source: llama.cpp b11549, src/llama-kv-cache.cpp, llama-kv-cache-iswa.cpp, llama-kv-cache-dsa.cpp, llama-memory-recurrent.cpp.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...figure import Number, round_up, step, total
from ...layers import Attention, LatentAttention, Part
from ...model import ModelSpec
from ...plan import Claim
from ...quant import Quant, quant
from .graph.sheet import Homes
from .placement import pool
from .settings import Settings
from .slots import Slots, cells
from .weights import ALIGNMENT, row_padding

STATE_BYTES = 4
"""States are kept as f32, whatever the cache's types."""


def cache_claims(model: ModelSpec, settings: Settings, made: Slots, homes: Homes) -> Iterator[Claim]:
    """One claim per pool and kind of cache ("" ordinary, "window", "indexer"), then the recurrent state."""
    k, v = quant(settings.k), quant(settings.v)
    found: dict[tuple[str, str, str], Number] = {}
    for group in model.groups:
        for backend, layers in _by_backend(group.positions, homes, settings):
            where = pool(backend, homes)
            kind = settings.gpu_kind if backend != homes.cpu else ""
            for part in group.block.mixers:
                for name, label, bytes in _kept(model, part, settings, made, k, v, kind):
                    key = (name, where, label)
                    found[key] = total([found[key], layers * bytes]) if key in found else layers * bytes
    for (name, where, label), bytes in found.items():
        yield Claim(name, where, bytes, label=label)


def _by_backend(positions: tuple[int, ...], homes: Homes, settings: Settings) -> list[tuple[int, int]]:
    """(backend, layers there) of one group."""
    if not homes.cpu or not settings.kv_offload:
        return [(homes.cpu, len(positions))]
    found: dict[int, int] = {}
    for position in positions:
        backend = homes.layers[position]
        found[backend] = found.get(backend, 0) + 1
    return sorted(found.items())


def _kept(
    model: ModelSpec, part: Part, settings: Settings, made: Slots, k: Quant, v: Quant, kind: str
) -> Iterator[tuple[str, str, Number]]:
    """(part of the breakdown, label, bytes) that one layer keeps."""
    if isinstance(part, Attention) and part.caches:
        slot_count = cells(part.window, settings, made) * made.streams
        value_width = part.kv_heads * part.value_dim if settings.flash_attention is not False else widest_values(model)
        bytes = part.cache_bytes(slot_count, k, v) + transposed_padding(slot_count, value_width - part.kv_heads * part.value_dim, v)
        yield "cache", "window" if part.window else "", bytes + device_padding((part.kv_heads * part.key_dim, value_width), k, v, kind)
        if part.indexer is not None:
            yield "cache", "indexer", part.indexer.cache_bytes(made.sequence_tokens * made.streams, k, v)
    elif isinstance(part, LatentAttention):
        slot_count = made.sequence_tokens * made.streams
        widths = (
            (part.kv_rank + part.rope_dim,)
            if part.absorbed
            else (part.heads * (part.nope_dim + part.rope_dim), part.heads * part.value_dim)
        )
        yield "cache", "", part.cache_bytes(slot_count, k, v) + device_padding(widths, k, v, kind)
        if part.indexer is not None:
            yield "cache", "indexer", part.indexer.cache_bytes(slot_count, k, v) + device_padding((part.indexer.dim,), k, v, kind)
    values = part.state_values()
    if values:
        yield "state", "", state_bytes(values, settings.sequences)


@step("transposed_padding")
def transposed_padding(slot_count: Number, missing_values: Number, v: Quant) -> Number:
    """Without flash attention values are cached transposed, every layer as wide as the widest."""
    return slot_count * v.row_bytes(missing_values)


@step("recurrent_state")
def state_bytes(values: Number, sequences: Number) -> Number:
    """Bytes of one layer's state for all sequences; independent of the context."""
    return STATE_BYTES * values * sequences


def widest_values(model: ModelSpec) -> int:
    """Values per token slot in the widest attention layer."""
    return max(part.kv_heads * part.value_dim for g in model.groups for part in g.block.mixers if isinstance(part, Attention))


def device_padding(widths: tuple[int, ...], k: Quant, v: Quant, kind: str) -> int:
    """What a device adds to a layer's K and V tensors: one padded row each when quantised, aligned."""
    if not kind:
        return 0
    return sum(int(round_up(row_padding(type, width, kind), ALIGNMENT.get(kind, 128))) for type, width in zip((k, v), widths, strict=False))


@step("output_buffer")
def output_bytes(vocabulary: Number, embedding_width: Number, rows: Number) -> Number:
    """The output buffer at start: a row of logits per sequence, and a row of the embedding when embeddings are asked for."""
    return 4 * rows * (vocabulary + embedding_width)


def output_claim(model: ModelSpec, settings: Settings, homes: Homes) -> Claim:
    """The output buffer lies in host memory, pinned when there is a device."""
    return Claim(
        "output",
        "ram",
        output_bytes(model.vocabulary, model.hidden if settings.embeddings else 0, settings.sequences),
        label="pinned" if homes.cpu else "",
    )
