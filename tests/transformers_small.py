"""Small configs of many makes, for real libraries to build: numbers are chosen so that no two shapes are alike by chance."""

from __future__ import annotations

from typing import Any

D = dict
BASE: dict[str, Any] = D(
    hidden_size=64,
    intermediate_size=96,
    num_hidden_layers=4,
    num_attention_heads=4,
    num_key_value_heads=2,
    vocab_size=512,
    head_dim=16,
    max_position_embeddings=512,
)
MLA = D(
    {name: value for name, value in BASE.items() if name != "head_dim"},
    num_key_value_heads=4,
    kv_lora_rank=32,
    q_lora_rank=24,
    qk_nope_head_dim=16,
    qk_rope_head_dim=8,
    v_head_dim=16,
    n_routed_experts=4,
    num_experts_per_tok=2,
    n_group=1,
    topk_group=1,
    moe_intermediate_size=32,
    n_shared_experts=1,
    first_k_dense_replace=1,
)
MAMBA = D(mamba_n_heads=8, mamba_d_head=16, mamba_d_state=16, mamba_d_conv=4, mamba_n_groups=1, mamba_expand=2)
DELTA = D(
    linear_num_key_heads=2,
    linear_num_value_heads=4,
    linear_key_head_dim=16,
    linear_value_head_dim=16,
    linear_conv_kernel_dim=4,
    partial_rotary_factor=0.25,
    layer_types=["linear_attention"] * 3 + ["full_attention"],
)
SLIDING = D(sliding_window=8, layer_types=["sliding_attention", "full_attention"] * 2)

SMALL: dict[str, dict[str, Any]] = {
    "llama": D(BASE, tie_word_embeddings=False),
    "llama tied": D(BASE, tie_word_embeddings=True),
    "qwen2": D(BASE, tie_word_embeddings=False),
    "qwen3": D(BASE, tie_word_embeddings=True),
    "phi3": D(BASE, tie_word_embeddings=False, pad_token_id=0),
    "gemma2": D(BASE, **SLIDING, query_pre_attn_scalar=16),
    "gemma3_text": D(BASE, **SLIDING, query_pre_attn_scalar=16),
    "mistral": D(BASE, sliding_window=8, tie_word_embeddings=False),
    "gpt_oss": D(BASE, **SLIDING, num_local_experts=2, num_experts_per_tok=1, tie_word_embeddings=False),
    "mixtral": D(BASE, num_local_experts=4, num_experts_per_tok=2, tie_word_embeddings=False),
    "qwen3_moe": D(BASE, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, tie_word_embeddings=False),
    "deepseek_v3": D(MLA, tie_word_embeddings=False),
    "minicpm3": D({name: value for name, value in MLA.items() if "expert" not in name and "moe" not in name and "dense" not in name}, tie_word_embeddings=False),
    "deepseek_v32": D(MLA, index_head_dim=16, index_n_heads=2, index_topk=8, tie_word_embeddings=False),
    "mamba": D(hidden_size=64, num_hidden_layers=2, state_size=16, conv_kernel=4, expand=2, vocab_size=512),
    "mamba2": D(hidden_size=64, num_hidden_layers=2, state_size=16, conv_kernel=4, expand=2, head_dim=16, num_heads=8, n_groups=1, vocab_size=512),
    "granitemoehybrid": D(BASE, **MAMBA, layer_types=["mamba", "attention", "mamba", "mamba"], num_local_experts=2, num_experts_per_tok=1, shared_intermediate_size=32, tie_word_embeddings=True),
    "falcon_h1": D(BASE, **MAMBA, mamba_d_ssm=128, tie_word_embeddings=False),
    "qwen3_next": D(BASE, **DELTA, num_experts=2, num_experts_per_tok=1, moe_intermediate_size=32, shared_expert_intermediate_size=32, tie_word_embeddings=False),
    "qwen3_5_text": D(BASE, **DELTA, tie_word_embeddings=False),
    "lfm2": D(BASE, layer_types=["conv", "full_attention", "conv", "conv"], conv_L_cache=3, block_auto_adjust_ff_dim=False),
}  # fmt: skip


def kind(name: str) -> str:
    """The model type of a case."""
    return name.partition(" ")[0]
