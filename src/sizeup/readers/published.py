"""What a published total counts besides the model's own weights: copies, buffers, scales and blocks that plain decoding never reads.

`published_is` of a catalogue row names the parts in words; here each part is counted from the layers.
"""

from __future__ import annotations

from typing import Any

from sizeup.layers import count
from sizeup.model import Group, ModelSpec

TILE = 128
"""Side of the square that shares one FP8 scale (`weight_scale_inv`)."""
NOT_TILED = ("ffn_gate_inp", "norm", "nextn", "indexer.proj", "exp_probs")
"""Matrices that FP8 checkpoints keep in BF16: routers, norms, what joins a prediction block."""


def additions(spec: ModelSpec, row: dict[str, Any]) -> dict[str, int]:
    """Elements of each part that the published total has beyond `spec.parameters`, by the words of `published_is`."""
    words, counted = row["published_is"], {}
    embedding = spec.vocabulary * spec.hidden
    blocks = sum(group.layers for group in spec.draft_blocks)
    if "MTP block" in words:
        counted["MTP block"] = sum(group.layers * int(group.block.parameters(spec.hidden)) for group in spec.draft_blocks)
    if "embedding/head copies" in words:
        counted["its embedding/head copies"] = 2 * embedding * blocks
    if "tied lm_head" in words:
        counted["stored copy of the tied lm_head"] = embedding
    if "position_ids" in words:
        counted["position_ids buffer"] = spec.embedding.positions
    if "causal-mask" in words:
        counted["causal-mask buffers"] = spec.layers * (spec.context_tokens or 0) ** 2
    if "hash-router table" in words:
        counted["hash-router table"] = spec.hyper["num_hash_layers"] * spec.vocabulary * spec.hyper["num_experts_per_tok"]
    if "unused k/v" in words:
        counted["unused k/v of the KV-shared layers"] = sum(unused(group, spec.hidden) for group in spec.groups)
    if "FP8" in words:
        counted["FP8 tile scales"] = sum(tile_scales(group, spec.hidden, row) for group in (*spec.groups, *spec.draft_blocks))
    return counted


def total(spec: ModelSpec, row: dict[str, Any]) -> int:
    """The total that the layers say was published."""
    return spec.parameters + sum(additions(spec, row).values())


def unused(group: Group, hidden: int) -> int:
    """Stored elements of a group that no token uses."""
    return group.layers * (int(count(group.block.stored(hidden))) - int(group.block.parameters(hidden)))


def tile_scales(group: Group, hidden: int, row: dict[str, Any]) -> int:
    """One scale per tile of each quantised matrix. MLA's two up-projections are one matrix in the checkpoint."""
    skipped = (*NOT_TILED, *row.get("unquantized", ()))
    scales = 0
    for name, shape in group.block.stored(hidden):
        if len(shape) < 2 or any(word in name for word in skipped):
            continue
        across, down, *more = shape
        if name.startswith("attn_k_b"):
            across, down, more = shape[1], shape[0] * shape[2], []
        elif name.startswith("attn_v_b"):
            across, down, more = shape[0], shape[1] * shape[2], []
        tiles = -(-across // TILE) * -(-down // TILE)
        for size in more:
            tiles *= size
        scales += tiles
    return group.layers * scales
