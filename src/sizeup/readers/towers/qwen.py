"""Qwen's towers: any picture size, one token per square of patches. Qwen2-VL, 2.5-VL and 3-VL (also 3.5) differ in their blocks."""

from __future__ import annotations

from sizeup.layers import Tower
from sizeup.readers.body import Shapes, norm

from . import Beside, Found
from .vit import blocks, linear, patches

TOWER_LAYERS = 1024


def read(beside: Beside) -> Found:
    vision = beside.section("vision_config")
    generation = beside.outer.text("model_type")
    layers, hidden = vision.integer("depth", default=32, most=TOWER_LAYERS), beside.body.hidden
    merge = vision.integer("spatial_merge_size", default=2, most=64)
    frames = vision.integer("temporal_patch_size", default=2, most=64)
    patch = vision.integer("patch_size", default=14, most=1024)
    if generation == "qwen2_vl":
        width, out = vision.integer("embed_dim", default=1280), vision.integer("hidden_size", default=hidden)
        feed = int(width * (vision.number("mlp_ratio", default=4.0) or 4.0))
        shapes = (
            *patches(vision, width, bias=False, frames=frames),
            *blocks(layers, width, feed, fused=True),
            *norm("mm.norm", width, "layer"),
        )
    elif generation.startswith("qwen2_5"):
        width, out = vision.integer("hidden_size", default=1280), vision.integer("out_hidden_size", default=hidden)
        feed = vision.integer("intermediate_size", default=3420)
        shapes = (
            *patches(vision, width, bias=False, frames=frames),
            *blocks(layers, width, feed, kind="rms", gated=True, fused=True),
            *norm("mm.norm", width, "rms"),
        )
    else:
        width, out = vision.integer("hidden_size", default=1152), vision.integer("out_hidden_size", default=hidden)
        feed, square = vision.integer("intermediate_size", default=4304), merge * merge * width
        rows = vision.integer("num_position_embeddings", default=2304)
        stacks = vision.integers("deepstack_visual_indexes") or []
        shapes = (
            *patches(vision, width, frames=frames, default=16),
            ("v.position_embd.weight", (width, rows)),
            *blocks(layers, width, feed, fused=True),
            *norm("mm.norm", width, "layer"),
            *(shape for layer in stacks[:layers] for shape in merger(f"v.deepstack.{layer}", square, out, own_norm=True)),
        )
    shapes += merger("mm", merge * merge * width, out)
    return Found((Tower("vision", shapes, pixels_per_token=patch * merge, hidden=width, layers=layers),))


def merger(name: str, square: int, out: int, own_norm: bool = False) -> Shapes:
    """Two linear maps from a square of patches to one token of the language model."""
    before = norm(f"{name}.norm", square, "layer") if own_norm else ()
    return (*before, *linear(f"{name}.0", square, square), *linear(f"{name}.2", square, out))
