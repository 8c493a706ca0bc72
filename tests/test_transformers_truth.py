"""What transformers really kept, against the rules. Source of the table: measured with transformers 5.23.0 and torch 2.13.0 for CPU,
random weights, configs as published (layers and experts trimmed where `note` says so), 2026-11-21."""

from __future__ import annotations

import csv
import functools
from pathlib import Path
from typing import Any

import pytest

from sizeup import account
from sizeup.engines.transformers.weights import buffer_bytes
from sizeup.model import ModelSpec
from sizeup.plan import Breakdown
from sizeup.readers.config import spec_from_config

with (Path(__file__).parent / "data" / "transformers_truth.csv").open(newline="") as file:
    ROWS = list(csv.DictReader(file))

D = dict
CONFIGS: dict[str, dict[str, Any]] = {
    "HuggingFaceTB/SmolLM2-135M": D(model_type="llama", hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3, vocab_size=49152, tie_word_embeddings=True, max_position_embeddings=8192),
    "HuggingFaceTB/SmolLM2-360M": D(model_type="llama", hidden_size=960, intermediate_size=2560, num_hidden_layers=32, num_attention_heads=15, num_key_value_heads=5, vocab_size=49152, tie_word_embeddings=True, max_position_embeddings=8192),
    "Qwen/Qwen2.5-0.5B": D(model_type="qwen2", hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14, num_key_value_heads=2, vocab_size=151936, tie_word_embeddings=True, max_position_embeddings=32768),
    "Qwen/Qwen3-0.6B": D(model_type="qwen3", hidden_size=1024, intermediate_size=3072, num_hidden_layers=28, num_attention_heads=16, num_key_value_heads=8, head_dim=128, vocab_size=151936, tie_word_embeddings=True, max_position_embeddings=40960),
    "google/gemma-3-270m": D(model_type="gemma3_text", hidden_size=640, intermediate_size=2048, num_hidden_layers=18, num_attention_heads=4, num_key_value_heads=1, head_dim=256, vocab_size=262144, sliding_window=512, tie_word_embeddings=True, max_position_embeddings=32768),
    "google/gemma-3-1b-pt": D(model_type="gemma3_text", hidden_size=1152, intermediate_size=6912, num_hidden_layers=26, num_attention_heads=4, num_key_value_heads=1, head_dim=256, vocab_size=262144, sliding_window=512, tie_word_embeddings=True, max_position_embeddings=32768),
    "meta-llama/Llama-3.2-1B": D(model_type="llama", hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32, num_key_value_heads=8, head_dim=64, vocab_size=128256, tie_word_embeddings=True, max_position_embeddings=131072),
    "TinyLlama/TinyLlama-1.1B": D(model_type="llama", hidden_size=2048, intermediate_size=5632, num_hidden_layers=22, num_attention_heads=32, num_key_value_heads=4, vocab_size=32000, tie_word_embeddings=False, max_position_embeddings=2048),
    "openai-community/gpt2": D(model_type="gpt2", n_embd=768, n_layer=12, n_head=12, vocab_size=50257, n_positions=1024),
    "facebook/opt-125m": D(model_type="opt", hidden_size=768, ffn_dim=3072, num_hidden_layers=12, num_attention_heads=12, vocab_size=50272, max_position_embeddings=2048, word_embed_proj_dim=768),
    "EleutherAI/pythia-160m": D(model_type="gpt_neox", hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, vocab_size=50304, max_position_embeddings=2048, tie_word_embeddings=False),
    "ibm-granite/granite-3.1-1b-a400m": D(model_type="granitemoe", hidden_size=1024, intermediate_size=512, num_hidden_layers=24, num_attention_heads=16, num_key_value_heads=8, num_local_experts=32, num_experts_per_tok=8, vocab_size=49155, tie_word_embeddings=True, max_position_embeddings=131072),
    "deepseek-ai/DeepSeek-V2-Lite": D(model_type="deepseek_v2", hidden_size=2048, intermediate_size=10944, moe_intermediate_size=1408, num_hidden_layers=2, num_attention_heads=16, num_key_value_heads=16, n_routed_experts=8, n_shared_experts=2, num_experts_per_tok=6, kv_lora_rank=512, q_lora_rank=None, qk_nope_head_dim=128, qk_rope_head_dim=64, v_head_dim=128, first_k_dense_replace=1, vocab_size=102400, max_position_embeddings=4096, n_group=1, topk_group=1, topk_method="greedy", norm_topk_prob=False, head_dim=64),
    "openai/gpt-oss-20b": D(model_type="gpt_oss", hidden_size=2880, intermediate_size=2880, num_hidden_layers=4, num_attention_heads=64, num_key_value_heads=8, head_dim=64, num_local_experts=2, num_experts_per_tok=2, sliding_window=128, vocab_size=201088, tie_word_embeddings=False, max_position_embeddings=131072),
    "mistralai/Mistral-7B-v0.1": D(model_type="mistral", hidden_size=4096, intermediate_size=14336, num_hidden_layers=2, num_attention_heads=32, num_key_value_heads=8, vocab_size=32000, sliding_window=4096, max_position_embeddings=32768, tie_word_embeddings=False),
}  # fmt: skip
"""Published numbers, without names."""

HEAD_TWICE = {"google/gemma-3-1b-pt", "meta-llama/Llama-3.2-1B", "ibm-granite/granite-3.1-1b-a400m"}
"""Rows made without real weights, where the tied head was counted as a matrix of its own."""


@functools.cache
def model(name: str) -> ModelSpec:
    return spec_from_config(CONFIGS[name], name)


def answered(row: dict[str, str], new: int | None = None, **settings: Any) -> Breakdown:
    """The account of a row: after the prompt for `new` 0, after all new tokens for None."""
    prompt, batch = int(row["prompt"]), int(row["batch"])
    tokens = prompt + (int(row["new"]) if new is None else new)
    # A static cache is as long at the start as at the end.
    if row["cache"] == "static":
        tokens = prompt + int(row["new"])
    given = {"context_tokens": tokens * batch, "sequences": batch, "prompt_tokens": prompt, "cache": row["cache"], "attention": row["attn"]}
    return account(model(row["model"]), "transformers", "BF16", **{**given, **settings})


def shown(breakdown: Breakdown) -> int:
    """Bytes by shape: without the storage behind views."""
    return sum(int(claim.bytes) for claim in breakdown.claims if claim.part == "cache" and claim.label != "window_view")


def named(row: dict[str, str]) -> str:
    return f"{row['model'].rpartition('/')[2]}-{row['attn']}-{row['cache']}"


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_caches_are_exact_by_shape(row: dict[str, str]) -> None:
    """After the prompt and after every new token, all 19 rows to the byte."""
    assert (shown(answered(row, 0)), shown(answered(row))) == (int(row["cache_prefill_bytes"]), int(row["cache_post_bytes"]))


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_storage_behind_views_is_exact(row: dict[str, str]) -> None:
    """What is really held: after a prompt all of it, later a window for each sliding layer."""
    assert int(row["cache_prefill_storage"]) == answered(row, 0).bytes("cache")
    assert int(row["cache_post_storage"]) == answered(row, prompt_tokens=1).bytes("cache")


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_weights_and_buffers_are_exact(row: dict[str, str]) -> None:
    """Parameters and their bytes in BF16, tied head once; buffers, but for scalars, of a model that was cast to BF16 as a whole."""
    spec = model(row["model"])
    scalars = 2 if "gemma-3" in row["model"] else 0
    assert int(row["buffer_bytes"]) == buffer_bytes(spec, 2) + scalars
    if row["model"] not in HEAD_TWICE:
        assert int(row["params"]) == spec.parameters
        assert int(row["weight_bytes"]) == answered(row).bytes("weights") - buffer_bytes(spec)


def test_all_logits_are_exact() -> None:
    """The column of full logits, beside the F32 copy of the last row that sampling takes."""
    for row in ROWS:
        if int(row["full_logits_bytes"]):
            last = 4 * model(row["model"]).vocabulary
            assert int(row["full_logits_bytes"]) == answered(row, logits="all").bytes("output") - last
