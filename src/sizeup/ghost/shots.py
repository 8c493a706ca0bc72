"""The ghosts that a machine is measured with: each made to show one cost, of shapes that models have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from sizeup.engines.llamacpp.hyper import hyper
from sizeup.engines.llamacpp.tensors import gguf_tensors
from sizeup.model import ModelSpec
from sizeup.readers.config import spec_from_config

from .solve import Ghosts

FORMATS = ("Q8_0", "Q4_0", "Q5_0", "Q4_K", "Q5_K", "Q6_K", "F16")
"""Formats that most files are made of. Others take the rate of their nearest kin."""

SHORT_FORMATS = ("Q8_0", "Q6_K")
"""Formats whose dot products are measured apart: one of each sort of blocks."""

LAYERS_FORMAT = "Q4_K"
"""Of the ghost of many layers: where it is rearranged no dot products are in the way."""

PROMPT_TOKENS = 128
DEPTH_TOKENS = 2048
NEAR_TOKENS = 192
"""A cache of so many cells stays in a processor's own, and is attended to by heads, not by cells (`SPLIT_CELLS`)."""

WIDE: dict[str, Any] = {
    "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 4,
    "num_attention_heads": 16, "num_key_value_heads": 2,
}  # fmt: skip
SHORT: dict[str, Any] = {
    "hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4,
    "vocab_size": 262144, "tie_word_embeddings": True,
}  # fmt: skip
MANY: dict[str, Any] = {
    "hidden_size": 768, "intermediate_size": 2304, "num_hidden_layers": 24,
    "num_attention_heads": 12, "num_key_value_heads": 2,
}  # fmt: skip
HEADS: dict[str, Any] = {
    "hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 4,
    "num_attention_heads": 64, "num_key_value_heads": 1, "head_dim": 256,
}  # fmt: skip
DEEP: dict[str, Any] = {
    "hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 4,
    "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 128,
}  # fmt: skip
EXPERTS: dict[str, Any] = {
    "model_type": "qwen3_moe", "architectures": ["Qwen3MoeForCausalLM"], "decoder_sparse_step": 1, "norm_topk_prob": True,
    "hidden_size": 1024, "intermediate_size": 512, "moe_intermediate_size": 512, "num_hidden_layers": 8,
    "num_attention_heads": 16, "num_key_value_heads": 2, "head_dim": 64, "num_experts": 16, "num_experts_per_tok": 8,
}  # fmt: skip


class Shot(NamedTuple):
    """One ghost to measure."""

    model: ModelSpec
    prompt_tokens: int
    lasting: float = 1.0
    """How many times as long as others it is timed."""


def shots() -> Ghosts[Shot]:
    """What is measured, in this order."""
    first = FORMATS[0]
    return Ghosts(
        {kind: Shot(ghost("wide", WIDE, kind), PROMPT_TOKENS) for kind in FORMATS},
        {kind: Shot(ghost("short", SHORT, kind), 16) for kind in SHORT_FORMATS},
        Shot(ghost("many", MANY, LAYERS_FORMAT), PROMPT_TOKENS),
        Shot(ghost("experts", EXPERTS, LAYERS_FORMAT), PROMPT_TOKENS),
        Shot(ghost("deep", DEEP, first), DEPTH_TOKENS, 2.0),
        Shot(ghost("heads", HEADS, first), NEAR_TOKENS),
    )


def ghost(name: str, shape: dict[str, Any], kind: str) -> ModelSpec:
    """A small model whose matrices are all of one format."""
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 2048, "max_position_embeddings": 8192, **shape}
    model = spec_from_config(config, name)
    tensors = tuple(tensor if tensor.type == "F32" else replace(tensor, type=kind) for tensor in gguf_tensors(model, "F16"))
    return replace(model, tensors=tensors, stored="gguf", mix=kind, hyper=hyper(model))
