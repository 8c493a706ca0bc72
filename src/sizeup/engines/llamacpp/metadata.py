"""The hyper-parameters that a model's GGUF file would state, derived from a config as the converter does.

Keys are without the architecture's prefix. What decides memory comes from the layers themselves; numbers that change no size
(rotation bases, norm epsilons) are stated as the engine needs them to start. Source: llama.cpp b11549, src/llama-model.cpp
(load_hparams) and src/models/*.cpp; conversion/ for what the converter writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...facts import data_json
from ...layers import (
    Attention,
    Block,
    CompressedAttention,
    GatedDeltaNet,
    KimiDelta,
    LatentAttention,
    LightningAttention,
    Mamba1,
    Mamba2,
    Mlp,
    Moe,
    Rwkv7,
    ShortConv,
)
from ...model import ModelSpec
from .converters import embedding, rotary_dim
from .tensors import blocks

Hyper = dict[str, Any]


def derived(spec: ModelSpec) -> Hyper:
    """Key -> number, flag, text or list with one value per block, as the converter would write them for a config."""
    kept: Hyper | None = spec.__dict__.get("_gguf_metadata")
    if kept is None:
        stack = [block for _, block in blocks(spec, drafts_kept(spec))]
        kept = {}
        for part in (_sizes, _attention, _latent, _compressed, _experts, _recurrent, _stated):
            kept.update(part(spec, stack))
        facts = data_json("gguf_metadata.json")
        kept = {**facts["otherwise"].get(spec.architecture, {}), **kept, **facts["architectures"].get(spec.architecture, {})}
        spec.__dict__["_gguf_metadata"] = kept
    return kept


def drafts_kept(spec: ModelSpec) -> bool:
    """Whether the main context keeps something for blocks that draft, so that a file without them would be another model."""
    return bool(spec.draft_blocks) and spec.architecture in data_json("llamacpp_memory.json")["drafts_cached"]


def whole_keys(spec: ModelSpec) -> Hyper:
    """What the file states without the architecture's prefix, one value per block."""
    said = data_json("gguf_metadata.json")["full_keys"].get(spec.architecture, {})
    return {key: [value] * spec.layers for key, value in said.items()}


def alike(values: Sequence[Any]) -> Any:
    """One value where all blocks agree, else the list."""
    return values[0] if len(set(values)) == 1 else list(values)


def _sizes(spec: ModelSpec, stack: list[Block]) -> Hyper:
    facts = data_json("gguf_metadata.json")
    dense = [_dense_width(block) for block in stack]
    experts = [block.feed.width if isinstance(block.feed, Moe) else 0 for block in stack]
    per_block = dense if any(dense) else experts
    if spec.architecture not in facts["widths_by_block"]:
        # One width for all: that of the blocks that have any.
        per_block = [max(per_block, default=0)] * len(stack)
    return {
        "block_count": len(stack),
        **({"nextn_predict_layers": len(stack) - spec.layers} if len(stack) > spec.layers else {}),
        "context_length": embedding(spec).positions or spec.context_tokens or 8192,
        "embedding_length": spec.hidden,
        "feed_forward_length": alike([width * (2 if spec.architecture in facts["doubled_width"] else 1) for width in per_block]),
        "vocab_size": spec.vocabulary,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "attention.layer_norm_epsilon": 1e-5,
        "rope.freq_base": 10000.0,
    }


def _dense_width(block: Block) -> int:
    feed = block.feed
    if isinstance(feed, Moe):
        return feed.dense.width if feed.dense is not None else 0
    return feed.width if isinstance(feed, Mlp) else 0


def _first(stack: list[Block], kind: type) -> Any:
    return next((part for block in stack for part in block.mixers if isinstance(part, kind)), None)


def _of_blocks(stack: list[Block], kind: type, value: Callable[[Any], int]) -> list[int]:
    """One value per block: of its part of this kind, else 0."""
    return [next((value(part) for part in block.mixers if isinstance(part, kind)), 0) for block in stack]


def _attention(spec: ModelSpec, stack: list[Block]) -> Hyper:
    parts = [part for block in stack for part in block.mixers if isinstance(part, Attention)]
    if not parts:
        return {"attention.head_count": 0, "attention.head_count_kv": 0}
    heads, kv_heads = _of_blocks(stack, Attention, lambda p: p.heads), _of_blocks(stack, Attention, lambda p: p.kv_heads)
    by_block = spec.architecture in data_json("gguf_metadata.json")["heads_by_block"]
    everything = next((part for part in parts if not part.window), parts[0])
    found: Hyper = {
        "attention.head_count": alike([count or max(heads) for count in heads]),
        "attention.head_count_kv": alike(kv_heads if by_block else [count or max(kv_heads) for count in kv_heads]),
        "attention.key_length": everything.key_dim,
        "attention.value_length": everything.value_dim,
        "rope.dimension_count": _rotated(spec),
    }
    windowed = [part for part in parts if part.window]
    if windowed:
        found |= {
            "attention.sliding_window": windowed[0].window,
            "attention.chunk_size": windowed[0].window,
            "attention.sliding_window_pattern": [bool(_window(block)) for block in stack],
            "attention.key_length_swa": windowed[0].key_dim,
            "attention.value_length_swa": windowed[0].value_dim,
            "rope.dimension_count_swa": windowed[0].key_dim,
        }
    # Layers that reuse keys and values stand at the end.
    picky = next((part.indexer for part in parts if part.indexer is not None), None)
    if picky is not None:
        found |= _indexer(picky.heads, picky.dim, int(_config(spec, "sparse_attention_config.sparse_topk_blocks") or 16))
    shared = sum(not part.caches for part in parts)
    if shared and spec.causal:
        found["attention.shared_kv_layers"] = shared
    if any(isinstance(part, GatedDeltaNet) for block in stack for part in block.mixers):
        found["full_attention_interval"] = next((at + 1 for at, count in enumerate(kv_heads) if count), 4)
    return found


def _rotated(spec: ModelSpec) -> int:
    """Values of a head that are rotated: all, or the config's share."""
    share = _config(spec, "partial_rotary_factor", "rotary_pct")
    dim = rotary_dim(spec)
    return int(dim * share) if isinstance(share, float) and 0 < share < 1 else dim


def _window(block: Block) -> int:
    return next((part.window for part in block.mixers if isinstance(part, Attention)), 0)


def _latent(spec: ModelSpec, stack: list[Block]) -> Hyper:
    part = _first(stack, LatentAttention)
    if part is None:
        return {}
    heads = _of_blocks(stack, LatentAttention, lambda p: p.heads)
    found: Hyper = {
        "attention.head_count": alike([count or max(heads) for count in heads]),
        "attention.head_count_kv": alike([(1 if part.absorbed else part.heads) if count else 0 for count in heads]),
        "attention.kv_lora_rank": part.kv_rank,
        "rope.dimension_count": part.rope_dim,
        "attention.key_length": part.kv_rank + part.rope_dim if part.absorbed else part.nope_dim + part.rope_dim,
        "attention.value_length": part.kv_rank if part.absorbed else part.value_dim,
    }
    if part.absorbed:
        found |= {"attention.key_length_mla": part.nope_dim + part.rope_dim, "attention.value_length_mla": part.value_dim}
    if part.query_rank:
        found["attention.q_lora_rank"] = part.query_rank
    picky = _of_blocks(stack, LatentAttention, lambda p: p.indexer is not None)
    if any(picky):
        first = next(p.indexer for block in stack for p in block.mixers if isinstance(p, LatentAttention) and p.indexer is not None)
        found |= _indexer(first.heads, first.dim, first.top_tokens or 2048)
        if not all(picky):
            found["attention.indexer.types"] = [int(own) for own in picky]
    return found


def _indexer(heads: int, dim: int, top: int) -> Hyper:
    return {"attention.indexer.head_count": heads, "attention.indexer.key_length": dim, "attention.indexer.top_k": top}


def _compressed(spec: ModelSpec, stack: list[Block]) -> Hyper:
    part = _first(stack, CompressedAttention)
    if part is None:
        return {}
    found: Hyper = {
        "attention.head_count": part.heads,
        "attention.head_count_kv": 1,
        "attention.key_length": part.dim,
        "attention.value_length": part.dim,
        "attention.q_lora_rank": part.query_rank,
        "attention.output_group_count": part.output_groups,
        "attention.output_lora_rank": part.output_rank,
        "attention.sliding_window": part.window,
        "attention.compress_ratios": _of_blocks(stack, CompressedAttention, lambda p: p.ratio),
        "rope.dimension_count": int(_config(spec, "qk_rope_head_dim") or part.dim),
    }
    picky = next((p for block in stack for p in block.mixers if isinstance(p, CompressedAttention) and p.index_heads), None)
    return found | (_indexer(picky.index_heads, picky.index_dim, picky.top_tokens or 512) if picky is not None else {})


def _experts(spec: ModelSpec, stack: list[Block]) -> Hyper:
    parts = [block.feed for block in stack if isinstance(block.feed, Moe)]
    if not parts:
        return {}
    first = parts[0]
    dense_first = next((at for at, block in enumerate(stack) if isinstance(block.feed, Moe)), 0)
    every = [at for at, block in enumerate(stack) if isinstance(block.feed, Moe)]
    step = every[1] - every[0] if len(every) > 1 else 1
    found: Hyper = {
        "expert_count": first.experts,
        "expert_used_count": first.used,
        "expert_feed_forward_length": first.width,
        "leading_dense_block_count": dense_first if step == 1 else 0,
        "interleave_moe_layer_step": step,
        "moe_every_n_layers": step,
        "expert_group_count": int(_config(spec, "n_group") or 1),
        "expert_group_used_count": int(_config(spec, "topk_group") or 1),
        "expert_weights_scale": float(_config(spec, "routed_scaling_factor", "moe_router_topk_scaling_factor") or 1.0),
        "expert_weights_norm": bool(_config(spec, "norm_topk_prob", "route_norm", "moe_renormalize") or False),
    }
    if first.latent:
        found |= {"moe_latent_size": first.latent, "expert_latent_length": first.latent}
    if first.shared_width:
        found |= {
            "expert_shared_feed_forward_length": first.shared_width,
            "expert_shared_count": max(1, first.shared_width // first.width),
        }
    gate = _config(spec, "scoring_func", "score_function", "score_func", "moe_router_activation_func")
    found["expert_gating_func"] = {"softmax": 1, "sigmoid": 2, "sqrtsoftplus": 4}.get(str(gate), 2 if first.router_bias else 1)
    return found


def _recurrent(spec: ModelSpec, stack: list[Block]) -> Hyper:
    found: Hyper = {}
    for block in stack:
        for part in block.mixers:
            for key, value in _state_keys(part):
                found.setdefault(key, value)
    if any(_of_blocks(stack, LightningAttention, lambda p: p.heads)):
        found["attention.recurrent_layers"] = [bool(heads) for heads in _of_blocks(stack, LightningAttention, lambda p: p.heads)]
    return found


def _state_keys(part: Any) -> Iterator[tuple[str, Any]]:
    """What one recurrent part makes the file say."""
    if isinstance(part, (Mamba1, Mamba2)):
        yield from (("ssm.conv_kernel", part.kernel), ("ssm.inner_size", part.inner), ("ssm.state_size", part.state))
        if isinstance(part, Mamba1):
            yield from (("ssm.time_step_rank", part.step_rank), ("ssm.dt_b_c_rms", part.norms))
        else:
            yield from (("ssm.time_step_rank", part.heads), ("ssm.group_count", part.groups))
    elif isinstance(part, GatedDeltaNet):
        yield from (("ssm.conv_kernel", part.kernel), ("ssm.state_size", part.key_dim), ("ssm.group_count", part.key_heads))
        yield from (("ssm.time_step_rank", part.value_heads), ("ssm.inner_size", part.value_heads * part.value_dim))
    elif isinstance(part, KimiDelta):
        yield from (("ssm.conv_kernel", part.kernel), ("kda.head_dim", part.dim))
    elif isinstance(part, ShortConv):
        yield "shortconv.l_cache", part.kernel
    elif isinstance(part, Rwkv7):
        yield from (("wkv.head_size", part.head_size), ("token_shift_count", part.shifts))
        yield from (("attention.decay_lora_rank", part.decay_rank), ("attention.iclr_lora_rank", part.rate_rank))
        yield from (("attention.value_residual_mix_lora_rank", part.value_rank), ("attention.gate_lora_rank", part.gate_rank))


def _stated(spec: ModelSpec, stack: list[Block]) -> Hyper:
    copied = data_json("gguf_metadata.json")["copied"]
    found: Hyper = {}
    for kind in ("reals", "numbers", "by_block"):
        for key, names in copied[kind].items():
            value = _config(spec, *names)
            if isinstance(value, (int, float)):
                found[key] = value if kind == "numbers" else float(value) if kind == "reals" else [float(value)] * len(stack)
    if not spec.causal:
        found |= {"attention.causal": False, "pooling_type": 1}
    return found


def _config(spec: ModelSpec, *names: str) -> Any:
    """The first of these that the config says, of the text model where it is one of several; dots lead into sections."""
    tables = (spec.hyper, spec.hyper.get("text_config"))
    return next((value for name in names for table in tables if (value := _at(table, name)) is not None), None)


def _at(table: Any, path: str) -> Any:
    for name in path.split("."):
        table = table.get(name) if isinstance(table, dict) else None
    return table
