"""mem_fraction_static: the share of a card that weights and cache get. SGLang measures nothing for it; it reserves by rule.

Source: SGLang 0.5.23, srt/arg_groups/memory_hook.py (handle_gpu_memory_settings, reserve_for_graph_mb, adjust_mem_fraction_for_vlm).
"""

from __future__ import annotations

from typing import Any

from ...facts import data_json
from ...figure import plain
from ...layers import LatentAttention
from ...model import ModelSpec
from .settings import Settings

MIB = 1 << 20


def row(settings: Settings) -> dict[str, Any]:
    """What the server sets by the memory of its first card."""
    table: list[dict[str, Any]] = data_json("sglang.json")["by_memory"]
    size = settings.cards[0].board_bytes / MIB if settings.cards else 81559
    return next(entry for entry in table if entry["below_mib"] is None or size < entry["below_mib"])


def chunk(settings: Settings) -> int:
    """Tokens of a prompt that are read at once."""
    return int(settings.chunked_prefill_size or row(settings)["chunk"])


def largest_batch(settings: Settings) -> int:
    """Sequences that decode by a CUDA graph."""
    many = int(plain(settings.tensor_parallel)) >= 4
    return int(settings.cuda_graph_max_bs or row(settings)["decode_many" if many else "decode"])


def prefill_graphs(tokens: int) -> int:
    """CUDA graphs for prompts of up to so many tokens."""
    steps = ((4, 33, 4), (48, 257, 16), (288, 513, 32), (576, 1025, 64), (1280, 4097, 256), (4608, tokens + 1, 512))
    return sum(1 for low, high, step in steps for size in range(low, high, step) if size <= tokens)


def reserved_mib(model: ModelSpec, settings: Settings) -> float:
    """MiB of a card that are left to activations and graphs."""
    facts, size = data_json("sglang.json")["reserved_mib"], settings.cards[0].board_bytes / MIB if settings.cards else 81559
    tokens = chunk(settings)
    found = facts["base"] + facts["chunk_token"] * max(tokens, facts["least_chunk"]) + facts["rank"] * settings.ranks
    found += facts["decode_sequence"] * largest_batch(settings)
    found += facts["latent_graphs"] if latent(model) else facts["prefill_graph"] * prefill_graphs(tokens)
    return float(max(found, facts["least"]) if size > facts["least_above_mib"] else found)


def fraction(model: ModelSpec, settings: Settings) -> float:
    """mem_fraction_static: the setting, or what the server makes of its first card."""
    if settings.mem_fraction_static is not None:
        return float(settings.mem_fraction_static)
    size = settings.cards[0].board_bytes / MIB if settings.cards else 81559
    found = round((size - reserved_mib(model, settings)) / size, 3)
    tower = next((tower for tower in model.towers if tower.kind == "vision"), None)
    if tower is None:
        return found
    facts = data_json("sglang.json")["towers"]
    score = (tower.layers or facts["layers"]) * (tower.hidden or facts["hidden"]) ** 2 / (facts["layers"] * facts["hidden"] ** 2)
    factor = max(facts["low"], min(facts["high"], 1.0 - facts["sensitivity"] * (score - 1.0)))
    return float(found * facts["factor"] * factor)


def latent(model: ModelSpec) -> bool:
    """Whether the model is served with a latent cache."""
    return any(isinstance(part, LatentAttention) and part.absorbed for group in model.groups for part in group.block.mixers)
