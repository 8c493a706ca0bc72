"""What attention makes a GGUF file say: heads, windows, latents, compressed caches, indexers."""

from __future__ import annotations

from ...facts import data_json
from ...layers import Attention, Block, CompressedAttention, GatedDeltaNet, LatentAttention
from ...model import ModelSpec
from .converters import rotary_dim
from .metadata_values import Hyper, alike, config, first_of, of_blocks


def attention_keys(spec: ModelSpec, stack: list[Block]) -> Hyper:
    parts = [part for block in stack for part in block.mixers if isinstance(part, Attention)]
    if not parts:
        return {"attention.head_count": 0, "attention.head_count_kv": 0}
    heads, kv_heads = of_blocks(stack, Attention, lambda p: p.heads), of_blocks(stack, Attention, lambda p: p.kv_heads)
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
        found |= _indexer(picky.heads, picky.dim, int(config(spec, "sparse_attention_config.sparse_topk_blocks") or 16))
    shared = sum(not part.caches for part in parts)
    if shared and spec.causal:
        found["attention.shared_kv_layers"] = shared
    if any(isinstance(part, GatedDeltaNet) for block in stack for part in block.mixers):
        found["full_attention_interval"] = next((at + 1 for at, count in enumerate(kv_heads) if count), 4)
    return found


def _rotated(spec: ModelSpec) -> int:
    """Values of a head that are rotated: all, or the config's share."""
    share = config(spec, "partial_rotary_factor", "rotary_pct")
    dim = rotary_dim(spec)
    return int(dim * share) if isinstance(share, float) and 0 < share < 1 else dim


def _window(block: Block) -> int:
    return next((part.window for part in block.mixers if isinstance(part, Attention)), 0)


def latent_keys(spec: ModelSpec, stack: list[Block]) -> Hyper:
    part = first_of(stack, LatentAttention)
    if part is None:
        return {}
    heads = of_blocks(stack, LatentAttention, lambda p: p.heads)
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
    picky = of_blocks(stack, LatentAttention, lambda p: p.indexer is not None)
    if any(picky):
        first = next(p.indexer for block in stack for p in block.mixers if isinstance(p, LatentAttention) and p.indexer is not None)
        found |= _indexer(first.heads, first.dim, first.top_tokens or 2048)
        if not all(picky):
            found["attention.indexer.types"] = [int(own) for own in picky]
    return found


def _indexer(heads: int, dim: int, top: int) -> Hyper:
    return {"attention.indexer.head_count": heads, "attention.indexer.key_length": dim, "attention.indexer.top_k": top}


def compressed_keys(spec: ModelSpec, stack: list[Block]) -> Hyper:
    part = first_of(stack, CompressedAttention)
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
        "attention.compress_ratios": of_blocks(stack, CompressedAttention, lambda p: p.ratio),
        "rope.dimension_count": int(config(spec, "qk_rope_head_dim") or part.dim),
    }
    picky = next((p for block in stack for p in block.mixers if isinstance(p, CompressedAttention) and p.index_heads), None)
    return found | (_indexer(picky.index_heads, picky.index_dim, picky.top_tokens or 512) if picky is not None else {})
