"""What experts and recurrent parts make a GGUF file say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...layers import Block, GatedDeltaNet, KimiDelta, LightningAttention, Mamba1, Mamba2, Moe, Rwkv7, ShortConv
from ...model import ModelSpec
from .metadata_values import Hyper, config, of_blocks


def expert_keys(spec: ModelSpec, stack: list[Block]) -> Hyper:
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
        "expert_group_count": int(config(spec, "n_group") or 1),
        "expert_group_used_count": int(config(spec, "topk_group") or 1),
        "expert_weights_scale": float(config(spec, "routed_scaling_factor", "moe_router_topk_scaling_factor") or 1.0),
        "expert_weights_norm": bool(config(spec, "norm_topk_prob", "route_norm", "moe_renormalize") or False),
    }
    if first.latent:
        found |= {"moe_latent_size": first.latent, "expert_latent_length": first.latent}
    if first.shared_width:
        found |= {
            "expert_shared_feed_forward_length": first.shared_width,
            "expert_shared_count": max(1, first.shared_width // first.width),
        }
    gate = config(spec, "scoring_func", "score_function", "score_func", "moe_router_activation_func")
    found["expert_gating_func"] = {"softmax": 1, "sigmoid": 2, "sqrtsoftplus": 4}.get(str(gate), 2 if first.router_bias else 1)
    return found


def recurrent_keys(spec: ModelSpec, stack: list[Block]) -> Hyper:
    found: Hyper = {}
    for block in stack:
        for part in block.mixers:
            for key, value in _state_keys(part):
                found.setdefault(key, value)
    if any(of_blocks(stack, LightningAttention, lambda p: p.heads)):
        found["attention.recurrent_layers"] = [bool(heads) for heads in of_blocks(stack, LightningAttention, lambda p: p.heads)]
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
