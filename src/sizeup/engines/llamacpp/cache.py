"""Keys, values, indexer keys, recurrent state and the output buffer, per pool.

The layer says bytes per token slot, `slots` says how many slots; here they meet, with what a device pads.
Source: llama.cpp b11549, src/llama-model.cpp (create_memory), src/llama-kv-cache.cpp and its kin, src/llama-memory-recurrent.cpp.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...facts import data_json
from ...figure import Number, most, round_up, step, total
from ...layers import Attention, CompressedAttention, LatentAttention, Part
from ...model import Group, ModelSpec
from ...plan import Claim
from ...quant import Quant, quant
from .graph.sheet import Homes
from .placement import pool
from .settings import Settings
from .slots import Slots, cells, nothing, transposed
from .weights import alignment, row_padding

STATE_BYTES = 4
"""States are kept as f32, whatever the cache's types."""

Kept = Iterator[tuple[str, str, Number]]
"""(part of the breakdown, label, bytes) that one layer keeps."""


def cache_claims(model: ModelSpec, settings: Settings, made: Slots, homes: Homes) -> Iterator[Claim]:
    """One claim per pool and kind of cache ("" ordinary, "window", "indexer", "pooled"), then the recurrent state."""
    k, v = quant(settings.k), quant(settings.v)
    widest = widest_values(model) if transposed(model, settings) else 0
    found: dict[tuple[str, str, str], Number] = {}
    for group in caching_groups(model):
        for backend, layers in by_backend(group, homes, settings):
            where = pool(backend, homes)
            kind = settings.gpu_kind if backend != homes.cpu else ""
            for part in group.block.mixers:
                for name, label, bytes in _kept(model, part, settings, made, Kinds(k, v, kind), widest):
                    key = (name, where, label)
                    found[key] = total([found[key], layers * bytes]) if key in found else layers * bytes
    for (name, where, label), bytes in found.items():
        yield Claim(name, where, bytes, label=label)


class Kinds:
    """Formats of keys and values, and the kind of device that keeps them ("" for the host)."""

    __slots__ = ("device", "k", "v")

    def __init__(self, k: Quant, v: Quant, device: str) -> None:
        self.k, self.v, self.device = k, v, device


def caching_groups(model: ModelSpec) -> tuple[Group, ...]:
    """Blocks that keep something in the main context: not those for drafting, except where the engine forgets to leave them out."""
    if model.architecture in data_json("gguf_architectures.json")["no_cache"]:
        return ()
    if model.architecture in data_json("llamacpp_memory.json")["drafts_cached"]:
        return (*model.groups, *model.draft_blocks)
    return model.groups


def by_backend(group: Group, homes: Homes, settings: Settings) -> list[tuple[int, Number]]:
    """(backend, layers there) of one group."""
    if not homes.cpu or not settings.kv_offload:
        return [(homes.cpu, group.layers)]
    if len(homes.layers) == homes.layers.count(homes.layers[0]):
        return [(homes.layers[0], group.layers)]
    found: dict[int, int] = {}
    for position in group.positions:
        backend = homes.layers[position]
        found[backend] = found.get(backend, 0) + 1
    return sorted(found.items())


def _kept(model: ModelSpec, part: Part, settings: Settings, made: Slots, kinds: Kinds, widest: Number) -> Kept:
    """What one layer keeps under this engine."""
    if isinstance(part, Attention) and part.caches:
        yield from _attention(part, settings, made, kinds, widest)
    elif isinstance(part, LatentAttention):
        yield from _latent(part, made, kinds, widest, pooled_keys(model))
    elif isinstance(part, CompressedAttention):
        yield from _compressed(part, settings, made, kinds)
    values = part.state_values()
    if not nothing(values):
        yield "state", "", state_bytes(values, made.sequences, made.snapshots, _aligned(kinds))


def _attention(part: Attention, settings: Settings, made: Slots, kinds: Kinds, widest: Number) -> Kept:
    slot_count = cells(part.window, settings, made) * made.streams
    keys, values = part.kv_heads * part.key_dim, part.kv_heads * part.value_dim
    bytes = part.cache_bytes(slot_count, kinds.k, kinds.v)
    if not nothing(widest):
        bytes = bytes + transposed_padding(slot_count, widest - values, kinds.v)
        values = widest
    yield "cache", "window" if part.window else "", bytes + device_padding(((kinds.k, keys), (kinds.v, values)), kinds.device)
    if part.indexer is not None:
        # The indexer's cache is an ordinary one with a single head: it has values too, which nothing reads.
        slot_count = made.sequence_tokens * made.streams
        unread = part.value_dim
        bytes = part.indexer.cache_bytes(slot_count, kinds.k, kinds.v) + unread_values(slot_count, unread, kinds.v)
        yield "cache", "indexer", bytes + device_padding(((kinds.k, part.indexer.dim), (kinds.v, unread)), kinds.device)


def _latent(part: LatentAttention, made: Slots, kinds: Kinds, widest: Number, rows: int) -> Kept:
    slot_count = made.sequence_tokens * made.streams
    bytes, keys = part.cache_bytes(slot_count, kinds.k, kinds.v), part.kv_rank + part.rope_dim
    if part.absorbed:
        tensors: tuple[tuple[Quant, Number], ...] = ((kinds.k, keys),)
    else:
        values = part.heads * part.value_dim
        tensors = ((kinds.k, part.heads * (part.nope_dim + part.rope_dim)), (kinds.v, values))
        if not nothing(widest):
            bytes = bytes + transposed_padding(slot_count, widest - values, kinds.v)
    yield "cache", "", bytes + device_padding(tensors, kinds.device)
    if part.indexer is not None:
        bytes = rows * part.indexer.cache_bytes(slot_count, kinds.k, kinds.v)
        yield "cache", "indexer", bytes + device_padding(((kinds.k, rows * part.indexer.dim),), kinds.device)


def _compressed(part: CompressedAttention, settings: Settings, made: Slots, kinds: Kinds) -> Kept:
    """Raw entries of a window and pooled entries of the rest; every sequence has its own, even in a unified cache."""
    raw = cells(part.window, settings, made, shared=False) * made.sequences
    yield "cache", "window", part.cache_bytes(raw, kinds.k, kinds.v) + device_padding(((kinds.k, part.dim),), kinds.device)
    if part.ratio:
        entries = pooled_cells(made.sequence_tokens, part.ratio) * made.sequences
        widths = (part.dim, part.index_dim) if part.index_heads else (part.dim,)
        padding = device_padding(tuple((kinds.k, width) for width in widths), kinds.device)
        yield "cache", "pooled", part.pooled_bytes(entries, kinds.k) + padding


@step("pooled_cells")
def pooled_cells(tokens: Number, ratio: Number) -> Number:
    """Cells for one pooled entry per `ratio` tokens."""
    return round_up(most(1, -(-tokens // ratio)), 256)


@step("transposed_padding")
def transposed_padding(slot_count: Number, missing_values: Number, v: Quant) -> Number:
    """Without flash attention values are cached transposed, every layer as wide as the widest."""
    return slot_count * v.row_bytes(missing_values)


@step("unread_values")
def unread_values(slot_count: Number, values: Number, v: Quant) -> Number:
    """Values that a cache of indexer keys allocates beside them, though nothing is ever written there."""
    return slot_count * v.row_bytes(values)


@step("recurrent_state")
def state_bytes(values: Number, sequences: Number, snapshots: Number, aligned: int) -> Number:
    """Bytes of one layer's state for all sequences, with the copies that take back drafted tokens; whatever the context."""
    return round_up(STATE_BYTES * values * sequences * (1 + snapshots), aligned)


def _aligned(kinds: Kinds) -> int:
    return alignment(kinds.device) if kinds.device else int(data_json("llamacpp_backends.json")["host_alignment"])


def widest_values(model: ModelSpec) -> Number:
    """Values per token slot in the widest attention layer, blocks for drafting included."""
    widths = [
        part.kv_heads * part.value_dim
        for group in (*model.groups, *model.draft_blocks)
        for part in group.block.mixers
        if isinstance(part, Attention)
    ]
    widths += [
        part.heads * part.value_dim
        for group in model.groups
        for part in group.block.mixers
        if isinstance(part, LatentAttention) and not part.absorbed
    ]
    return most(*widths) if widths else 0


def pooled_keys(model: ModelSpec) -> int:
    """Rows that an indexer caches per token: its key, and beside it a gate and a pooled key where it pools."""
    rows = data_json("llamacpp_memory.json")["pooled_key_rows"].get(model.architecture, 1)
    return int(rows) if model.hyper.get("attention.indexer.kpool") else 1


def device_padding(tensors: tuple[tuple[Quant, Any], ...], kind: str) -> int:
    """What a device adds to a layer's K and V tensors: one padded row each when quantised, aligned."""
    if not kind:
        return 0
    return sum(int(round_up(row_padding(type, int(width), kind), alignment(kind))) for type, width in tensors)


@step("output_buffer")
def output_bytes(vocabulary: Number, embedding_width: Number, rows: Number) -> Number:
    """The output buffer at start: a row of logits per sequence, and a row of the embedding when embeddings are asked for."""
    return 4 * rows * (vocabulary + embedding_width)


def output_claim(model: ModelSpec, settings: Settings, homes: Homes) -> Claim:
    """The output buffer lies in host memory, pinned when there is a device."""
    return Claim(
        "output",
        "ram",
        output_bytes(model.vocabulary, embedding_width(model) if settings.embeddings else 0, settings.sequences),
        label="pinned" if homes.cpu else "",
    )


def embedding_width(model: ModelSpec) -> Number:
    """Values of one embedding that the engine hands out: the residual's, unless the file or the architecture says otherwise."""
    given = model.hyper.get("embedding_length_out")
    if isinstance(given, int) and given:
        return given
    streams = model.hyper.get("hyper_connection.count") if model.architecture == "deepseek4" else None
    return model.hidden * streams if isinstance(streams, int) else model.hidden
