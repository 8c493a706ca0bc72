"""Shrunk shapes on the embedded engine: it plans to the byte what was predicted of a model that nobody has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sizeup
from sizeup.engines.llamacpp import refusals
from sizeup.engines.llamacpp.tensors import gguf_tensors
from sizeup.errors import EngineFailed, Refused
from sizeup.ghost.write import write_sparse
from sizeup.probe import machine
from sizeup.shrinking import shrink
from sizeup.shrinking.ghosts import proved, rehearsed
from tests.program import Run

pytestmark = pytest.mark.engine

PROVED = {
    "depth and a mix": ("Qwen/Qwen3-0.6B", {"layers": 21, "quant": "Q4_K_M", "kv_type": "q8_0"}),
    "width": ("Qwen/Qwen3-0.6B", {"hidden": 768, "inner": 2304}),
    "heads": ("meta-llama/Llama-3.2-1B-Instruct", {"heads": 24}),
    "keys and values": ("meta-llama/Llama-3.2-1B-Instruct", {"kv_heads": 2, "quant": "Q8_0"}),
    "a pattern of windows": ("google/gemma-3-1b-it", {"layers": 20, "vocabulary": 64_000}),
    "experts": ("Qwen/Qwen3-30B-A3B", {"experts": 64, "active_experts": 4, "layers": 24, "quant": "Q4_K_M"}),
    "experts in groups": ("deepseek-ai/DeepSeek-V3", {"experts": 128, "heads": 64, "layers": 8, "quant": "Q2_K"}),
    "an output of its own no more": ("Qwen/Qwen3-8B", {"tie": True, "quant": "Q6_K"}),
}


@pytest.mark.parametrize("name", PROVED)
def test_the_engine_plans_what_was_predicted(name: str) -> None:
    """Law: weights, cache, compute and output of the shrunk shape are equal to the byte."""
    model, asked = PROVED[name]
    best = shrink(model, machine(), context_tokens=4096, **asked).best  # type: ignore[arg-type]
    _, found = proved(best)
    assert {part: gap for part, gap in found.difference_bytes.items() if gap} == {}


REFUSED = {
    "queries as wide as the residual": ("Qwen/Qwen2.5-0.5B-Instruct", {"hidden": 768}),
    "joined queries as wide as the residual": ("openai-community/gpt2-medium", {"heads": 8}),
    "a number of layers that it tells models by": ("deepseek-ai/DeepSeek-V2-Lite", {"layers": 20}),
    "keys for every query": ("allenai/OLMoE-1B-7B-0924", {"kv_heads": 4}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_engine_does_not_load_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: a shape that we refuse is one that the engine really refuses; its bytes are told all the same."""
    model, asked = REFUSED[name]
    best = shrink(model, machine(), context_tokens=1024, **asked).best  # type: ignore[arg-type]
    assert best.refusal is not None
    assert best.refusal.message.startswith(f"llama.cpp does not load {model}")
    assert (best.plan, best.stored_bytes < shrink(model, machine(), context_tokens=1024).base.stored_bytes) == (None, True)
    with pytest.raises(Refused):
        proved(best)
    monkeypatch.setattr(refusals, "_loaded", lambda model: None)
    with pytest.raises(EngineFailed):
        proved(shrink(model, machine(), context_tokens=1024, **asked).best)  # type: ignore[arg-type]


def test_a_shrunk_shape_is_rehearsed() -> None:
    """It really runs, full-size with made-up weights, and takes the weights that were predicted."""
    best = shrink("Qwen/Qwen3-0.6B", machine(), context_tokens=512, layers=4, vocabulary=4096, quant="Q4_0").best
    plan, found = rehearsed(best, prompt_tokens=16, decode_tokens=4, seconds=0.2)
    assert (found.level, found.layers_run, found.difference_bytes["weights"]) == ("rehearsed", 0, 0)
    assert plan.model.layers == 4


def test_a_shrunk_file_is_planned_too(tmp_path: Path) -> None:
    """Law: a file that loses layers and heads with the formats it stores them in is planned as predicted."""
    model, path = sizeup.read("Qwen/Qwen3-0.6B"), tmp_path / "whole.gguf"
    write_sparse(path, model, gguf_tensors(model, "Q4_K_M"))
    best = shrink(str(path), machine(), context_tokens=4096, layers=20, heads=8, inner=2048).best
    _, found = proved(best)
    assert {part: gap for part, gap in found.difference_bytes.items() if gap} == {}


def test_the_verb_writes_and_proves(sizeup: Run, tmp_path: Path) -> None:
    """`--ghost` writes what `--prove` plans, once; a form that llama.cpp has no file for is refused."""
    path = tmp_path / "small.gguf"
    arguments = ["shrink", "Qwen/Qwen3-0.6B", "--layers", "14", "--quant", "Q8_0", "--context", "2048", "--ghost", str(path)]
    said = json.loads(sizeup(*arguments, "--prove", "--json").out)
    assert said["ghost"] == {"path": str(path), "file_bytes": path.stat().st_size}
    assert {part: row["difference_bytes"] for part, row in said["proved"]["parts"].items() if row["difference_bytes"]} == {}
    again = sizeup(*arguments)
    assert (again.code, again.err.splitlines()[0]) == (2, f"{path} exists already.")
    zeros = sizeup("shrink", "Qwen/Qwen3-0.6B", "--sparsity", "2:4", "--prove")
    assert (zeros.code, zeros.err.splitlines()[0]) == (2, "llama.cpp has no file for what these techniques store.")
    assert sizeup("shrink", "Qwen/Qwen3-0.6B", "--prove").code == 2
