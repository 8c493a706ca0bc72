"""The hyper-parameters that a model's GGUF file would state, derived from a config as the converter does.

Keys are without the architecture's prefix. What decides memory comes from the layers themselves; numbers that change no size
(rotation bases, norm epsilons) are stated as the engine needs them to start. Source: llama.cpp b11549, src/llama-model.cpp
(load_hparams) and src/models/*.cpp; conversion/ for what the converter writes.
"""

from __future__ import annotations

from ...facts import data_json
from ...layers import Block, Mlp, Moe
from ...model import ModelSpec
from .converters import embedding
from .metadata_attention import attention_keys, compressed_keys, latent_keys
from .metadata_parts import expert_keys, recurrent_keys
from .metadata_values import Hyper, alike, config
from .tensors import blocks


def derived(spec: ModelSpec) -> Hyper:
    """Key -> number, flag, text or list with one value per block, as the converter would write them for a config."""
    kept: Hyper | None = spec.__dict__.get("_gguf_metadata")
    if kept is None:
        stack = [block for _, block in blocks(spec, drafts_kept(spec))]
        kept = {}
        for part in (_sizes, attention_keys, latent_keys, compressed_keys, expert_keys, recurrent_keys, _stated):
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


def _stated(spec: ModelSpec, stack: list[Block]) -> Hyper:
    copied = data_json("gguf_metadata.json")["copied"]
    found: Hyper = {}
    for kind in ("reals", "numbers", "by_block"):
        for key, names in copied[kind].items():
            value = config(spec, *names)
            if isinstance(value, (int, float)):
                found[key] = value if kind == "numbers" else float(value) if kind == "reals" else [float(value)] * len(stack)
    if not spec.causal:
        found |= {"attention.causal": False, "pooling_type": 1}
    return found
