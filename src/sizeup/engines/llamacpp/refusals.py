"""What llama.cpp refuses before it starts, with its reason. Source: llama.cpp b11549, src/llama-context.cpp (llama_init_from_model)."""

from __future__ import annotations

from ...errors import Refused
from ...facts import data_json
from ...layers import Attention, CompressedAttention, LatentAttention
from ...model import ModelSpec
from ...quant import quant
from .settings import Settings


def check(model: ModelSpec, settings: Settings) -> None:
    """Raises Refused when the engine would not open this context."""
    if model.architecture not in data_json("llamacpp_architectures.json")["architectures"]:
        named = model.model_type or model.architecture or "this kind of model"
        raise Refused(f"llama.cpp has no architecture for {named}.", "another engine, or --assume")
    k, v = quant(settings.k), quant(settings.v)
    mixers = [part for group in model.groups for part in group.block.mixers]
    latent = any(isinstance(p, CompressedAttention) or (isinstance(p, LatentAttention) and p.absorbed) for p in mixers)
    if latent and k.name != v.name:
        raise Refused(
            f"llama.cpp: this model does not support different K ({settings.k}) and V ({settings.v}) cache types.",
            f"k={settings.k}, v={settings.k}",
        )
    if v.block > 1 and settings.flash_attention is False:
        raise Refused("llama.cpp: a quantised V cache requires flash attention.", "flash attention on, or v=f16")
    if settings.flash_attention is False:
        return
    for part in mixers:
        key, value = head_dims(part)
        for name, type, dim in (("K", k, key), ("V", v, value)):
            if type.block > 1 and dim % type.block:
                raise Refused(
                    f"llama.cpp: {name} cache type {type.name.lower()} with block size {type.block} does not divide a head of {dim} values.",
                    f"{name.lower()}=f16",
                )


def head_dims(part: object) -> tuple[int, int]:
    """Key and value width of one head as the engine checks them; (0, 0) for parts without heads."""
    if isinstance(part, Attention):
        return part.key_dim, part.value_dim
    if isinstance(part, LatentAttention):
        return (part.kv_rank + part.rope_dim, part.kv_rank) if part.absorbed else (part.nope_dim + part.rope_dim, part.value_dim)
    return 0, 0
