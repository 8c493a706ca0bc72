"""Start-up logs of vLLM and SGLang as typed rows, and the settings that they were made with.

Sources stand with each row; most are llm-d-planner PR 205 @d3121e0 (Apache-2.0 logs of vLLM on H100).
"""

from __future__ import annotations

import csv
import functools
from pathlib import Path
from typing import Any

from sizeup.engines.serving.cards import Card
from sizeup.model import ModelSpec
from sizeup.readers import read

DATA = Path(__file__).parent / "data"
GIB = 1 << 30
H100 = Card("H100 SXM5 80GB HBM3", "vram:0", "cuda", "NVIDIA DC", int(79.19 * GIB), int(78.68 * GIB), True, 81559 << 20)

QUANTISED = {
    "redhatai/llama-3.3-70b-instruct-fp8-dynamic": ("meta-llama/Llama-3.3-70B-Instruct", "ct-fp8"),
    "redhatai/llama-3.3-70b-instruct-quantized.w8a8": ("meta-llama/Llama-3.3-70B-Instruct", "ct-w8a8"),
    "redhatai/qwen2.5-7b-instruct-fp8-dynamic": ("Qwen/Qwen2.5-7B-Instruct", "ct-fp8"),
    "redhatai/qwen2.5-7b-instruct-quantized.w8a8": ("Qwen/Qwen2.5-7B-Instruct", "ct-w8a8"),
    "redhatai/meta-llama-3.1-8b-instruct-quantized.w4a16": ("meta-llama/Llama-3.1-8B-Instruct", "gptq-int4-g128"),
    "redhatai/meta-llama-3.1-8b-instruct-quantized.w8a8": ("meta-llama/Llama-3.1-8B-Instruct", "ct-w8a8"),
    "redhatai/mistral-small-3.1-24b-instruct-2503-quantized.w8a8": ("mistralai/Mistral-Small-3.1-24B-Instruct-2503", "ct-w8a8"),
}
"""Checkpoints of others -> the model they were made of and the format."""


@functools.cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a table under tests/data."""
    with (DATA / name).open(newline="") as file:
        return tuple(csv.DictReader(file))


@functools.cache
def model_of(name: str) -> tuple[ModelSpec, str | None]:
    """The model behind a checkpoint's name, and the format to take it in."""
    base, form = QUANTISED.get(name.lower(), (name, None))
    return read(base), form


def settings_of(row: dict[str, str]) -> dict[str, Any]:
    """What a run was started with."""
    return {
        "context_tokens": int(row["max_model_len"]),
        "tensor_parallel": int(row["tp"]),
        "pipeline_parallel": int(row["pp"]),
        "kv_cache_dtype": row["kv_dtype"],
        "dtype": "float32" if row["dtype_quant"] == "float32" else "auto",
        "cards": tuple(H100._replace(pool=f"vram:{number}") for number in range(8)),
    }


def format_of_row(row: dict[str, str], form: str | None) -> str | None:
    """The format of a run: online quantisation where its log says so."""
    return "fp8" if row["dtype_quant"] == "bfloat16/fp8" else form


def name_of(row: dict[str, str]) -> str:
    """A row as tests are told of it."""
    return f"{row['model']} tp{row['tp']} pp{row['pp']} {row['max_model_len']} {row['kv_dtype']} {row['dtype_quant']}"
