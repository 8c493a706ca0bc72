"""Tables of rotary positions that a server makes at start: one for each way that layers turn their positions.

Source: vLLM 0.33.0, model_executor/layers/rotary_embedding. Not counted: tables of vision towers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...facts import data_json
from ...layers import Attention, LatentAttention
from ...model import ModelSpec
from .formats import text_config

LATENT_VALUE_BYTES = 4
"""Scaled tables of latent attention stay in 32 bits."""


def table_bytes(model: ModelSpec, value_bytes: int) -> int:
    """Bytes of all tables on one rank. 0 for a model without rotary positions."""
    config = text_config(model)
    if model.embedding.positions or config.get("alibi") or config.get("position_embedding_type") not in (None, "rope", "rotary"):
        return 0
    return sum(_rows(model, config, rope) * wide * each for rope, wide, each in _tables(model, config, value_bytes))


def _tables(model: ModelSpec, config: dict[str, Any], value_bytes: int) -> Iterator[tuple[dict[str, Any], int, int]]:
    """(parameters, width, bytes a value) of each table."""
    seen: set[str] = set()
    given = config.get("rope_parameters") or config.get("rope_scaling") or _known(model)
    by_kind = isinstance(next(iter(given.values()), None), dict)
    for group in model.groups:
        for part in group.block.mixers:
            if not isinstance(part, Attention | LatentAttention):
                continue
            window = bool(getattr(part, "window", 0))
            rope = given.get("sliding_attention" if window else "full_attention", {}) if by_kind else given
            if window and not by_kind and "rope_local_base_freq" in config:
                rope = {"local": True}
            wide = part.rope_dim if isinstance(part, LatentAttention) else _turned(config, rope, int(part.key_dim))
            scaled = isinstance(part, LatentAttention) and bool(rope.get("factor"))
            key = f"{sorted(rope.items(), key=str)} {wide}"
            if key not in seen and wide:
                seen.add(key)
                yield rope, wide, LATENT_VALUE_BYTES if scaled else value_bytes


def _known(model: ModelSpec) -> dict[str, Any]:
    """Scalings that the shipped config leaves out."""
    return dict(data_json("serving_rotary.json")["models"].get(str(model.config.get("model_type")), {}))


def _turned(config: dict[str, Any], rope: dict[str, Any], head: int) -> int:
    """Values of a head that are turned."""
    share = rope.get("partial_rotary_factor", config.get("partial_rotary_factor", config.get("rotary_pct", 1.0)))
    return int(config.get("rotary_dim") or head * float(share))


def _rows(model: ModelSpec, config: dict[str, Any], rope: dict[str, Any]) -> int:
    """Positions in a table: as many as the model was made for, times what a scaling adds."""
    positions = int(config.get("max_position_embeddings") or model.context_tokens or 0)
    kind = rope.get("rope_type", rope.get("type", "default"))
    original, factor = int(rope.get("original_max_position_embeddings") or positions), float(rope.get("factor") or 1.0)
    if kind in ("yarn", "deepseek_yarn"):
        return int(original * factor)
    if kind in ("linear", "dynamic"):
        return int(positions * factor)
    if kind in ("longrope", "su"):
        return positions + int(config.get("original_max_position_embeddings") or original)
    return positions * 4 if kind == "mrope" or "mrope_section" in rope else positions
