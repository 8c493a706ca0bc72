"""What llama.cpp refuses before it starts, with its reason.

Source: llama.cpp b11549, src/llama-context.cpp (llama_init_from_model, the constructor, sched_reserve), src/llama-model.cpp
(llama_model_mapping), ggml/src/ggml.c (ggml_row_size), common/speculative.cpp (common_speculative_are_compatible).
"""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import Refused
from ...facts import data_json
from ...figure import is_column, least, plain
from ...layers import Attention, CompressedAttention, LatentAttention, Part
from ...model import ModelSpec
from ...quant import Quant, quant
from .settings import Settings
from .slots import slots, transposed

VOCABULARY_DIFFERENCE = 128
"""Tokens that a draft's vocabulary may differ by."""


def check(model: ModelSpec, settings: Settings) -> None:
    """Raises Refused, with the engine's reason, when it would not load this model or open this context."""
    _known(model)
    k, v = quant(settings.k), quant(settings.v)
    _loaded(model)
    parts = [part for group in model.groups for part in group.block.mixers]
    if k.name != v.name and any(isinstance(p, CompressedAttention) or (isinstance(p, LatentAttention) and p.absorbed) for p in parts):
        raise Refused(
            f"llama.cpp does not support different K ({settings.k}) and V ({settings.v}) cache types for this model: its keys and values are one.",
            f"k={settings.k}, v={settings.k}",
        )
    off = transposed(model, settings)
    if v.block > 1 and off:
        raise Refused(
            f"llama.cpp needs flash attention for a quantised V cache ({settings.v}), and it is off.",
            "flash attention on, or v=f16" if settings.flash_attention is False else "v=f16",
        )
    for part in parts:
        if off:
            _rows_fit(part, k)
        else:
            _heads_fit(part, k, v)
    _one_sequence(model, settings)
    if settings.mtp and not model.draft_blocks:
        raise Refused(
            f"{model.name} has no blocks for multi-token prediction, so llama.cpp cannot draft with them.", "mtp=False, or a draft model"
        )
    if settings.draft is not None:
        _drafts(model, settings.draft)


def _known(model: ModelSpec) -> None:
    known, facts = data_json("llamacpp_architectures.json")["architectures"], data_json("llamacpp_memory.json")
    if model.architecture not in known or model.architecture in facts["named_only"]:
        named = model.model_type or model.architecture or "this kind of model"
        raise Refused(f"llama.cpp has no architecture for {named}.", "another engine, or --assume")
    if model.architecture in facts["drafts_only"]:
        raise Refused(
            f"llama.cpp runs {model.architecture} only to draft tokens for another model, never alone.", "the model that it drafts for"
        )


def _loaded(model: ModelSpec) -> None:
    """Shapes that the engine's loader takes for granted."""
    counts = data_json("llamacpp_memory.json")["direct_queries"].get(model.architecture)
    if counts and model.layers not in counts and _direct(model):
        raise Refused(
            f"llama.cpp does not load {model.name}: with queries that are not compressed it knows {model.architecture} models of "
            f"{' or '.join(map(str, counts))} layers alone.",
            "another engine",
        )
    if model.architecture in data_json("llamacpp_memory.json")["no_shared_keys"]:
        for part in (part for group in model.groups for part in group.block.mixers):
            if isinstance(part, Attention) and plain(part.kv_heads) != plain(part.heads):
                raise Refused(
                    f"llama.cpp does not load {model.name}: its {model.architecture} models share no keys and values.", "another engine"
                )
    if model.architecture not in data_json("llamacpp_memory.json")["square_queries"]:
        return
    for group in model.groups:
        for part in group.block.mixers:
            if isinstance(part, Attention) and plain(part.heads * part.key_dim) != plain(model.hidden):
                raise Refused(
                    f"llama.cpp does not load {model.name}: its queries are {plain(part.heads * part.key_dim):,} values wide, and of "
                    f"{model.architecture} models it expects {plain(model.hidden):,}.",
                    "another engine",
                )


def _direct(model: ModelSpec) -> bool:
    """Whether latent attention takes its queries at once."""
    return any(isinstance(part, LatentAttention) and not plain(part.query_rank) for group in model.groups for part in group.block.mixers)


def _one_sequence(model: ModelSpec, settings: Settings) -> None:
    """A batch of one sequence is cut into as many equal parts as there are caches, or the engine aborts."""
    if model.architecture not in data_json("llamacpp_memory.json")["reserved_as_one"]:
        return
    made = slots(model, settings)
    found, streams = plain(least(made.micro_batch_tokens, made.context_tokens)), int(plain(made.streams))
    # One uneven row of a column refuses it whole; who wants the others asks for them one by one.
    uneven = [tokens for tokens in (found.ravel().tolist() if is_column(found) else (int(found),)) if tokens % streams]
    if uneven:
        tokens = uneven[0]
        raise Refused(
            f"llama.cpp aborts: for this model it cuts a micro batch ({tokens} tokens) into {streams} equal parts, one per sequence.",
            f"micro_batch_tokens={tokens // streams * streams or streams}, or unified_cache=True",
        )


def _heads_fit(part: Part, k: Quant, v: Quant) -> None:
    """Flash attention reads whole blocks of one head."""
    for name, type, dim in zip("KV", (k, v), head_dims(part), strict=True):
        if type.block > 1 and dim % type.block:
            raise Refused(
                f"llama.cpp: {name} cache type {type.name.lower()} with block size {type.block} does not divide a head of {dim} values.",
                f"{name.lower()}=f16",
            )


def _rows_fit(part: Part, k: Quant) -> None:
    """Without flash attention only whole rows of keys must be blocks; otherwise the engine aborts."""
    for row in key_rows(part):
        if row % k.block:
            raise Refused(f"llama.cpp aborts: {row} key values are no whole number of {k.name.lower()} blocks of {k.block}.", "k=f16")


def _drafts(model: ModelSpec, draft: ModelSpec) -> None:
    difference = abs(int(plain(draft.vocabulary)) - int(plain(model.vocabulary)))
    if difference > VOCABULARY_DIFFERENCE:
        raise Refused(
            f"{draft.name} cannot draft for {model.name} in llama.cpp: its vocabulary has {draft.vocabulary:,} tokens, not {model.vocabulary:,}.",
            "a smaller model of the same family",
        )


def head_dims(part: Part) -> tuple[int, int]:
    """Key and value width of one head as the engine checks them; (0, 0) for parts without heads."""
    if isinstance(part, Attention):
        return int(part.key_dim), int(part.value_dim)
    if isinstance(part, LatentAttention):
        if part.absorbed:
            return int(part.kv_rank + part.rope_dim), int(part.kv_rank)
        return int(part.nope_dim + part.rope_dim), int(part.value_dim)
    if isinstance(part, CompressedAttention):
        return int(part.dim), int(part.dim)
    return 0, 0


def key_rows(part: Part) -> Iterator[int]:
    """Lengths of the rows of keys that this part caches."""
    key, _ = head_dims(part)
    if isinstance(part, Attention) and part.caches:
        yield key * int(part.kv_heads)
    elif isinstance(part, LatentAttention):
        yield key if part.absorbed else key * int(part.heads)
    elif isinstance(part, CompressedAttention):
        yield key
    indexer = getattr(part, "indexer", None)
    if indexer is not None:
        yield int(indexer.dim)
