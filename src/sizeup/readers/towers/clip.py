"""CLIP towers: LLaVA 1.5's with a class token, MiniMax-M3's with rotary positions and a merger of squares."""

from __future__ import annotations

from sizeup.layers import Tower
from sizeup.readers.body import Shapes, norm

from . import Beside, Found
from .qwen import TOWER_LAYERS
from .vit import blocks, linear, patches, places


def read(beside: Beside) -> Found:
    vision = beside.section("vision_config")
    width, feed = vision.integer("hidden_size", default=1024), vision.integer("intermediate_size", default=4096)
    layers, out = vision.integer("num_hidden_layers", default=24, most=TOWER_LAYERS), beside.body.hidden
    body = (*norm("v.pre_ln", width, "layer"), *blocks(layers, width, feed))
    merging = vision.section("img_token_compression_config")
    if merging is None:
        cells = places(vision)
        start: Shapes = (("v.class_embd", (width,)), *patches(vision, width, bias=False), ("v.position_embd.weight", (width, cells + 1)))
        kind = beside.outer.text("model_type")
        newline: Shapes = (("mm.image_newline", (out,)),) if kind.startswith("llava_next") else ()
        states = len(beside.outer.listed("vision_feature_layers", "vision_feature_layer") or [0]) if kind == "vipllava" else 1
        before = norm("mm.input_norm", states * width, "layer") if kind == "vipllava" else ()
        join = (*norm("v.post_ln", width, "layer"), *newline, *before, *linear("mm.0", states * width, out), *linear("mm.2", out, out))
        return Found((Tower("vision", (*start, *body, *join), tokens_per_image=cells, hidden=width, layers=layers),))
    merge = merging.integer("spatial_merge_size", default=2, most=64)
    inner = beside.outer.integer("projector_hidden_size", default=out)
    start = patches(vision, width, bias=False, frames=merging.integer("temporal_patch_size", default=2, most=64))
    join = (*linear("mm.0", width, inner), *linear("mm.2", inner, out))
    join += (*linear("mm.merger.0", merge * merge * out, inner), *linear("mm.merger.2", inner, out))
    pixels = vision.integer("patch_size", default=14, most=1024) * merge
    return Found((Tower("vision", (*start, *body, *join), pixels_per_token=pixels, hidden=width, layers=layers),))
