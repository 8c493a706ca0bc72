"""Run inside the folder that tools.vllm_oracle prepared: layers as JSON on standard input, what vLLM's own planner makes of them on
standard output. Nothing touches a GPU: only shapes and byte counts go in."""

from __future__ import annotations

import json
import os
import sys
from types import SimpleNamespace
from typing import Any


def specs(layers: list[dict[str, Any]]) -> dict[str, Any]:
    """vLLM's own descriptions of the layers."""
    import torch
    from vllm.v1 import kv_cache_interface as kinds

    kind = {1: torch.float8_e4m3fn, 2: torch.bfloat16, 4: torch.float32}
    found: dict[str, Any] = {}
    for number, layer in enumerate(layers):
        tokens, shape = layer["block_tokens"], layer["shape"]
        if layer["kind"] == "state":
            page = layer["page_bytes"]
            spec = kinds.MambaSpec(
                block_size=tokens, shapes=((shape[0],),), dtypes=(torch.uint8,), page_size_padded=page, mamba_cache_mode=layer["mode"]
            )
        elif layer["latent"]:
            width = layer["page_bytes"] // tokens
            spec = kinds.MLAAttentionSpec(block_size=tokens, num_kv_heads=1, head_size=width, dtype=torch.uint8)
        else:
            heads, keys, values = shape
            bytes = layer["page_bytes"] // (tokens * heads * (keys + values))
            common = {"block_size": tokens, "num_kv_heads": heads, "head_size": keys, "head_size_v": values, "dtype": kind[bytes]}
            if layer["kind"] == "sliding":
                spec = kinds.SlidingWindowSpec(**common, sliding_window=layer["window"], dcp_sharded=True)
            elif layer["kind"] == "chunked":
                spec = kinds.ChunkedLocalAttentionSpec(**common, attention_chunk_size=layer["window"])
            else:
                spec = kinds.FullAttentionSpec(**common)
        found[f"layer.{number}"] = spec
    return found


def plan(question: dict[str, Any]) -> dict[str, Any]:
    """Groups, blocks, tokens and concurrency of one question."""
    from vllm.v1.core import kv_cache_planning, kv_cache_utils
    from vllm.v1.kv_cache_interface import KVCacheLayout

    tokens, layout = question["batch_tokens"], next(iter(KVCacheLayout))
    config = SimpleNamespace(
        scheduler_config=SimpleNamespace(disable_hybrid_kv_cache_manager=False, max_num_batched_tokens=tokens),
        cache_config=SimpleNamespace(
            get_resolved_kv_cache_layout=lambda: layout,
            num_gpu_blocks_override=None,
            prefix_cache_retention_interval=None,
            mamba_cache_mode=question["mode"],
            block_size=16,
        ),
        attention_config=SimpleNamespace(hisparse_config=None),
        model_config=SimpleNamespace(
            max_model_len=question["length"], original_max_model_len=question["length"], supports_kv_cache_grouping=False
        ),
        parallel_config=SimpleNamespace(tensor_parallel_size=1, decode_context_parallel_size=1),
        max_in_flight_tokens=question["in_flight"],
        num_prefill_lookahead_tokens=0,
        speculative_config=None,
    )
    groups = kv_cache_planning.get_kv_cache_groups(config, specs([{**layer, "mode": question["mode"]} for layer in question["layers"]]))
    made = kv_cache_planning.get_kv_cache_config_from_groups(config, groups, question["bytes"])
    slots, concurrency = kv_cache_utils.get_kv_cache_capacity(config, made)
    return {"groups": len(groups), "blocks": made.num_blocks, "tokens": slots, "concurrency": concurrency}


if __name__ == "__main__":
    os.environ["VLLM_LOGGING_LEVEL"] = "ERROR"
    said, sys.stdout = sys.stdout, sys.stderr
    answers = [plan(question) for question in json.load(sys.stdin)]
    print(json.dumps(answers), file=said)
