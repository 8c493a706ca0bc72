"""A log's settings as the keywords of `sizeup.account`, so that the same is predicted that the engine was asked for."""

from __future__ import annotations

from typing import Any

from sizeup.logs import Reading
from sizeup.logs.places import kind

SAME = (
    "context_tokens", "sequences", "batch_tokens", "micro_batch_tokens", "k", "v", "flash_attention", "unified_cache", "swa_full",
    "mmap", "no_host", "kv_offload", "cpu_moe_layers", "gpu_layers",
)  # fmt: skip


def asked(reading: Reading) -> dict[str, Any]:
    """Settings of llama.cpp for what a log says; what it does not say is left to the engine's defaults."""
    given = {name: reading.settings[name] for name in SAME if reading.settings.get(name) is not None}
    cards = sorted({b.pool for b in reading.buffers if b.pool.startswith("vram") and not b.estimated})
    kinds = [found for b in reading.buffers if (found := kind(b.name))]
    given.setdefault("gpu_layers", "all" if cards else 0)
    if reading.facts.get("planned"):
        given["mmap"] = False
    if cards:
        given |= {"gpus": max(len(cards), _highest(cards) + 1), "gpu_kind": kinds[0] if kinds else "cuda"}
        shares = reading.settings.get("tensor_split")
        if shares and len(shares) == given["gpus"] and sum(shares) > 0:
            given["tensor_split"] = tuple(shares)
        free = [card.free_bytes for card in reading.cards]
        if given["gpus"] > 1 and len(free) == given["gpus"] and all(free):
            given["gpu_free_bytes"] = tuple(free)
    outputs = reading.settings.get("outputs")
    if outputs is not None:
        given["outputs"] = outputs
    elif "batch_tokens" in given and reading.bytes("compute") is not None:
        # Releases that do not print it reserve rows for a whole micro batch.
        given["outputs"] = "library"
    packed = reading.bytes("repacked")
    if reading.bytes("weights", "ram") is not None:
        given["repack"] = bool(packed)
    features = reading.facts.get("cpu_features")
    if packed and features:
        given["cpu_features"] = tuple(features)
    return given


def untold(reading: Reading) -> tuple[str, ...]:
    """Parts that nothing can be said of, because the log does not tell the settings that they follow from."""
    said = reading.settings
    if "context_tokens" not in said:
        return ("cache", "state", "compute", "output")
    return () if "micro_batch_tokens" in said else ("compute",)


def _highest(pools: list[str]) -> int:
    return max((int(pool[5:]) for pool in pools if pool[5:].isdigit()), default=0)
