"""Answers about servers: on the command line in three languages, as JSON, exactly as asked, as a derivation."""

from __future__ import annotations

import json

import pytest

from tests.program import Run

POOL = {
    "en": "requests of 8,192 tokens at once",
    "zh-Hant": "可同時容納",
    "zh-Hans": "可同时容纳",
}


@pytest.mark.parametrize("language", POOL)
def test_fit_tells_the_pool(sizeup: Run, language: str) -> None:
    """`sizeup fit --engine vllm` says the pool, and the command, in every language; no key is left untold."""
    said = sizeup("fit", "Qwen/Qwen3-8B", "--engine", "vllm", "--on", "h100", "--quant", "bf16", "--lang", language)
    assert said.code == 0
    assert POOL[language] in said.out.replace("\n  ", " ").replace("\n", "")
    assert "vllm serve Qwen/Qwen3-8B --max-model-len 8192" in said.out
    assert "_not_calibrated" not in said.out


def test_json_has_the_pool(sizeup: Run) -> None:
    """The breakdown of a serving plan carries its pool; the cards that were seen are no setting."""
    typed = ["fit", "Qwen/Qwen3-8B", "--engine", "vllm", "--on", "2x h100", "--tensor-parallel", "2", "--kv-type", "fp8", "--json"]
    content = json.loads(sizeup(*typed).out)
    assert content["settings"]["tensor_parallel"] == 2
    assert content["settings"]["kv_cache_dtype"] == "fp8"
    assert "cards" not in content["settings"]
    pool = content["breakdown"]["pool"]
    assert pool["max_concurrency"] == pool["num_blocks"] / pool["blocks_per_request"]
    assert {claim["pool"] for claim in content["breakdown"]["claims"]} == {"vram:0", "vram:1"}


def test_a_release_of_ones_own(sizeup: Run) -> None:
    """`--engine-version 0.19.0 --gpu-memory-utilization 0.95` on an H100 is the run of the logs: 29,751 blocks, within 0.1 %."""
    typed = ["plan", "meta-llama/Llama-3.1-8B-Instruct", "--engine", "vllm", "--on", "h100", "--quant", "bf16"]
    content = json.loads(sizeup(*typed, "--engine-version", "0.19.0", "--gpu-memory-utilization", "0.95", "--json").out)
    assert content["breakdown"]["pool"]["num_blocks"] == pytest.approx(29_751, rel=0.001)


def test_what_does_not_fit_says_vllms_reason_and_what_would(sizeup: Run) -> None:
    """A 70B model in 16 bits on one H100: vLLM's sentence, and the nearest that does fit."""
    said = sizeup("fit", "meta-llama/Llama-3.3-70B-Instruct", "--engine", "vllm", "--on", "h100", "--quant", "bf16")
    assert said.code == 3
    assert "vLLM: No available memory for the cache blocks." in said.out
    assert "--tensor-parallel-size 2" in said.out


def test_why_the_pool_is_so_large(sizeup: Run) -> None:
    """`--why cache` derives the blocks from the card's share, what stands beside the pool, and the page of a layer."""
    said = sizeup("fit", "Qwen/Qwen3-8B", "--engine", "vllm", "--on", "h100", "--quant", "bf16", "--why", "cache")
    assert "36 × 65,536 B page of one layer" in said.out
    assert "blocks that fit" in said.out


def test_sglang_reserves_by_rule(sizeup: Run) -> None:
    """`--gpu-memory-utilization` is mem_fraction_static for SGLang, and the command says so."""
    said = sizeup("fit", "Qwen/Qwen3-8B", "--engine", "sglang", "--on", "h100", "--quant", "bf16", "--gpu-memory-utilization", "0.8")
    assert said.code == 0
    assert "--mem-fraction-static 0.8" in said.out.replace("\\\n", "").replace("    ", " ")


def test_no_card_for_a_server(sizeup: Run) -> None:
    """A machine without a CUDA or ROCm card is told what the server needs."""
    said = sizeup("fit", "Qwen/Qwen3-8B", "--engine", "sglang", "--on", "m3-max")
    assert said.code == 2
    assert "SGLang needs an NVIDIA or AMD card (CUDA or ROCm)" in said.err
