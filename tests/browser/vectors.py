"""Shared test vectors: devices and models, and the verdict that Python gives. `python -m tests.browser.vectors` writes vectors.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sizeup.browser import Device, Model, judge
from sizeup.browser.classes import typical
from sizeup.browser.device import device_json
from sizeup.browser.model import model_json, models
from sizeup.browser.verdict import verdict_json

PATH = Path(__file__).with_name("vectors.json")
GIB = 2**30
CHOSEN = (
    "Llama-3.2-1B-Instruct-q4f16_1-MLC", "gemma-2-2b-it-q4f32_1-MLC", "Llama-3.1-8B-Instruct-q4f16_1-MLC",
    "snowflake-arctic-embed-m-q0f32-MLC-b4", "onnx-community/Qwen3-0.6B-ONNX:q4f16", "onnx-community/Llama-3.2-1B-Instruct:q4",
    "gemma3-1b-it-int4-web.task", "gemma-4-E2B-it-web.task", "gemini-nano", "gemma-3-270m-q4_k_m.gguf:Q4_K_M",
    "Meta-Llama-3.1-8B-Instruct:Q2_K",
)  # fmt: skip
"""Models whose verdicts are in the file; the test in the browser goes through all."""


def devices() -> Iterator[Device]:
    """Every class, and changes of some that reach the corners of the rules."""
    by_id = {one.id: one.device for one in typical()}
    yield from by_id.values()
    laptop, phone, mac = by_id["laptop-igpu"], by_id["phone-new"], by_id["mac-safari"]
    yield Device()
    yield replace(laptop, gpu="no-api", features=None, buffer_bytes=None, binding_bytes=None)
    yield replace(laptop, gpu="fallback", isolated=True)
    yield replace(laptop, features=None, gpu_read_bytes_per_s=None, wasm_flops_per_s=None)
    yield replace(laptop, simd=False, memory_gib=0.5)
    yield replace(laptop, gpu_allocated_bytes=GIB, gpu_allocation_failed=True, network_bytes_per_s=3_000_000.0)
    yield replace(laptop, gpu_allocated_bytes=8 * GIB, gpu_allocation_failed=False, memory_gib=32, browser_major=146)
    yield replace(laptop, quota_bytes=600_000_000, usage_bytes=100_000_000, builtin="available")
    yield replace(laptop, workgroup_bytes=16384, buffer_bytes=100_000_000, binding_bytes=1000, memory_gib=8, browser_major=140)
    yield replace(phone, isolated=True, wasm_flops_per_s=1e9, gpu_allocated_bytes=2 * GIB, gpu_allocation_failed=True)
    yield replace(phone, memory_gib=2, memory64=None, builtin="downloading")
    yield replace(by_id["mac-chrome"], memory_gib=32)
    yield replace(mac, quota_bytes=50 * GIB, usage_bytes=None, builtin=None, isolated=True, threads=None)


def made_up() -> Iterator[Model]:
    """Models that a page may describe with little."""
    yield Model("nothing", "wllama")
    yield Model("bytes only", "wllama", bytes=500_000_000)
    yield Model("experts", "wllama", bytes=2_000_000_000, parameters=4_000_000_000, active_parameters=500_000_000)
    yield Model("one large file", "wllama", bytes=3_000_000_000, parameters=4_000_000_000, largest_file_bytes=3_000_000_000)
    yield Model("beyond", "wllama", bytes=20_000_000_000, parameters=40_000_000_000)
    yield Model("own", "webllm", bytes=900_000_000, parameters=1_600_000_000, largest_tensor_bytes=150_000_000, features=("shader-f16",))
    yield Model("quick", "mediapipe", bytes=1_000_000, parameters=1_000_000)


def cases(whole: bool) -> Iterator[tuple[Device, Model]]:
    """Pairs to judge: every device with every model, or with the chosen ones."""
    rows = [model for model in models() if whole or model.id in CHOSEN]
    for device in devices():
        for model in (*rows, *made_up()):
            yield device, model


def content() -> dict[str, Any]:
    """What the file holds: devices once, models once, and a verdict for each pair."""
    pairs = list(cases(whole=False))
    tabs = list(dict.fromkeys(device for device, _ in pairs))
    rows = list(dict.fromkeys(model for _, model in pairs))
    return {
        "devices": [device_json(device) for device in tabs],
        "models": [model_json(model) for model in rows],
        "cases": [[tabs.index(device), rows.index(model), verdict_json(judge(model, device))] for device, model in pairs],
    }


def written() -> str:
    """The file's text: a case a line."""
    found = content()
    parts = [f'"{key}": [\n' + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]" for key, rows in found.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    PATH.write_text(written(), encoding="utf-8")
