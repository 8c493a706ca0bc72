"""Published maxima of TensorRT-LLM against the most that the step model says: a check of rows that no fit saw.

Those give tokens a second of a server that is full. How many requests it holds is what vLLM's account of such a card would hold of an
8-bit cache in 95 % of the memory (assumed; a running request holds half of its answer on average).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import sizeup
from sizeup.engines import engine
from sizeup.engines.serving.engine import ServingEngine
from sizeup.engines.serving.load import Request, limit

from .rows import table

MODELS = {
    "openai/gpt-oss-120b": ("openai/gpt-oss-120b", {"fp4": None, "fp8": None}),
    "Llama-3.3-70B-Instruct": ("meta-llama/Llama-3.3-70B-Instruct", {"fp4": "nvfp4", "fp8": "fp8"}),
    "Qwen3-30B-A3B": ("Qwen/Qwen3-30B-A3B", {"fp4": "nvfp4", "fp8": "fp8"}),
}
"""The model, and its format by the precision of the row; gpt-oss has its own."""
CARDS = {"RTX6000Pro-SE": "rtx-pro-6000"}
MEMORY_SHARE = 0.95
STEP_TOKENS, STEP_SEQUENCES = 8192, 4096


class Maximum(NamedTuple):
    """One row: predicted over published tokens per second."""

    model: str
    card: str
    ratio: float


def maxima(left_out: Counter[str]) -> list[Maximum]:
    """Rows whose tensors are split, or on one card."""
    found = []
    for row in table("serving_throughput.csv"):
        if row["itl_ms"] or row["engine"].startswith("mlperf"):
            continue
        if not row["note"].startswith("TP"):
            left_out["attention shared by requests, experts by ranks (DEP)"] += 1
            continue
        found.append(Maximum(row["model"].rpartition("/")[2], row["gpu"], _said(row) / float(row["out_tok_s_per_gpu"])))
    return found


def _said(row: dict[str, str]) -> float:
    """Tokens per second and card."""
    name, formats = MODELS[row["model"]]
    spec, quant, ranks = sizeup.read(name), formats[row["precision"]], int(row["tp"])
    asked = Request(int(row["isl"]), int(row["osl"]))
    card = CARDS.get(row["gpu"], row["gpu"].lower())
    machine, chosen = sizeup.machine(f"{ranks}x {card}" if ranks > 1 else card), engine("vllm")
    assert isinstance(chosen, ServingEngine)
    whole = asked.prompt_tokens + asked.answer_tokens
    given = chosen.Settings(tensor_parallel=ranks, context_tokens=whole, kv_cache_dtype="fp8", gpu_memory_utilization=MEMORY_SHARE)
    settings = chosen.on(given, machine, ())
    held = float(chosen.account(spec, quant, settings).max_concurrency) * whole / float(asked.depth)  # type: ignore[attr-defined]
    full = replace(settings, max_num_seqs=STEP_SEQUENCES, max_num_batched_tokens=STEP_TOKENS)
    server = chosen.replica(machine, spec, quant, full, max(1, int(held)))
    assert server is not None
    return float(limit(server, asked)) * asked.answer_tokens / ranks
