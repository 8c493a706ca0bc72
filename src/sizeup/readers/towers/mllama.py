"""Llama 3.2 Vision's tower: tiles, gated positions, a local and a gated global stack whose projections have no bias."""

from __future__ import annotations

from sizeup.layers import Tower
from sizeup.readers.body import Shapes, norm

from . import Beside, Found
from .qwen import TOWER_LAYERS
from .vit import blocks, linear, patches, places


def read(beside: Beside) -> Found:
    vision = beside.section("vision_config")
    width, feed = vision.integer("hidden_size"), vision.integer("intermediate_size")
    local, across = vision.integer("num_hidden_layers", most=TOWER_LAYERS), vision.integer("num_global_layers", most=TOWER_LAYERS)
    tiles, cells = vision.integer("max_num_tiles", default=4), places(vision) + 1
    ratios = vision.listed("supported_aspect_ratios")
    kinds = 1 + (len(ratios) if ratios is not None else vision.integer("max_aspect_ratio_id", default=8))
    gates: Shapes = tuple((f"v.global.blk.{layer}.{name}", (1,)) for layer in range(across) for name in ("gate_attn", "gate_ffn"))
    shapes = (
        *patches(vision, width, bias=False),
        ("v.class_embd", (width,)),
        ("v.position_embd.weight", (width, cells)),
        ("v.position_embd.gate", (1,)),
        ("v.tile_position_embd.weight", (tiles * cells * width, kinds)),
        *(shape for name in ("pre", "post") for shape in tile(name, tiles * width, kinds)),
        *norm("v.pre_ln", width, "layer"),
        *norm("v.post_ln", width, "layer"),
        *blocks(local, width, feed, bias=False, feed_bias=True),
        *blocks(across, width, feed, bias=False, feed_bias=True, prefix="v.global"),
        *gates,
        *linear("mm.0", vision.integer("vision_output_dim"), beside.body.hidden),
    )
    return Found((Tower("vision", shapes, hidden=width, layers=local + across),))


def tile(name: str, width: int, kinds: int) -> Shapes:
    return ((f"v.{name}_tile_position_embd.weight", (width, kinds)), (f"v.{name}_tile_position_embd.gate", (1,)))
