"""vLLM 0.33's own planner beside ours, where it was prepared: `python -m tools.vllm_oracle FOLDER`, SIZEUP_VLLM_ORACLE=FOLDER."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tools.vllm_oracle import ask

from sizeup.engines.serving.formats import format_of
from sizeup.engines.vllm.account import account, in_flight, layers
from sizeup.engines.vllm.groups import grouped
from sizeup.engines.vllm.peak import batch
from sizeup.engines.vllm.settings import Settings
from sizeup.readers import read
from tests.serving import GIB

FOLDER = os.environ.get("SIZEUP_VLLM_ORACLE", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="vLLM's planner is not prepared: python -m tools.vllm_oracle FOLDER")

CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("meta-llama/Llama-3.1-8B-Instruct", {"kv_cache_bytes": int(58.11 * GIB)}),
    ("meta-llama/Llama-3.1-8B-Instruct", {"kv_cache_bytes": 10 * GIB, "kv_cache_dtype": "fp8", "context_tokens": 100_000}),
    ("Qwen/Qwen3-235B-A22B", {"kv_cache_bytes": 8 * GIB, "tensor_parallel": 8}),
    ("deepseek-ai/DeepSeek-V3", {"kv_cache_bytes": 20 * GIB, "tensor_parallel": 8, "context_tokens": 65_536}),
    ("deepseek-ai/DeepSeek-V3.2", {"kv_cache_bytes": 20 * GIB, "context_tokens": 65_536}),
    ("google/gemma-2-9b-it", {"kv_cache_bytes": 20 * GIB}),
    ("google/gemma-3-27b-it", {"kv_cache_bytes": int(19.53 * GIB), "context_tokens": 131_072}),
    ("google/gemma-4-31B-it", {"kv_cache_bytes": 16 * GIB, "tensor_parallel": 2, "context_tokens": 32_768}),
    ("openai/gpt-oss-20b", {"kv_cache_bytes": 10 * GIB, "context_tokens": 65_536}),
    ("meta-llama/Llama-4-Scout-17B-16E-Instruct", {"kv_cache_bytes": 40 * GIB, "context_tokens": 131_072}),
    ("Qwen/Qwen3-Next-80B-A3B-Instruct", {"kv_cache_bytes": 12 * GIB, "context_tokens": 131_072}),
    ("moonshotai/Kimi-Linear-48B-A3B-Instruct", {"kv_cache_bytes": 12 * GIB, "tensor_parallel": 2, "context_tokens": 120_000}),
)


def _question(name: str, given: dict[str, Any]) -> dict[str, Any]:
    settings, model = Settings(**given), read(name)
    found = layers(model, format_of(model, None), settings)
    told = [
        {
            "kind": one.kind,
            "page_bytes": int(one.page_bytes),
            "block_tokens": int(one.block_tokens),
            "window": one.window,
            "latent": one.latent,
            "shape": list(one.shape),
        }
        for one in found
    ]
    return {
        "layers": told,
        "bytes": given["kv_cache_bytes"],
        "length": int(settings.length),
        "batch_tokens": batch(settings)[0],
        "in_flight": in_flight(settings),
        "mode": "align",
    }


def test_the_planner_of_vllm_answers_the_same() -> None:
    """Groups, blocks, tokens and concurrency of every kind of layout are those of vLLM's own planner."""
    theirs = ask(Path(FOLDER), [_question(name, given) for name, given in CASES])
    ours = []
    for name, given in CASES:
        settings, model = Settings(**given), read(name)
        found = account(model, None, settings)
        groups = len(grouped(layers(model, format_of(model, None), settings)))
        ours.append({"groups": groups, "blocks": found.num_blocks, "tokens": found.tokens, "concurrency": found.max_concurrency})
    assert ours == theirs
