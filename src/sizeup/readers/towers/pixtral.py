"""Pixtral's tower as Mistral 3 uses it: RMS norms, no biases, gated blocks, squares of patches merged by one matrix."""

from __future__ import annotations

from sizeup.layers import Tower
from sizeup.readers.body import norm

from . import Beside, Found
from .qwen import TOWER_LAYERS
from .vit import blocks, linear, patches


def read(beside: Beside) -> Found:
    vision = beside.section("vision_config")
    width, feed = vision.integer("hidden_size", default=1024), vision.integer("intermediate_size", default=4096)
    layers, out = vision.integer("num_hidden_layers", default=24, most=TOWER_LAYERS), beside.body.hidden
    merge, bias = beside.outer.integer("spatial_merge_size", default=2, most=64), beside.outer.flag("multimodal_projector_bias")
    shapes = (
        *patches(vision, width, bias=False, default=14),
        *norm("v.pre_ln", width),
        *blocks(layers, width, feed, kind="rms", bias=False, gated=True),
        *norm("mm.input_norm", width),
        *linear("mm.patch_merger", merge * merge * width, width, bias=False),
        *linear("mm.1", width, out, bias),
        *linear("mm.2", out, out, bias),
    )
    pixels = vision.integer("patch_size", default=14, most=1024) * merge
    return Found((Tower("vision", shapes, pixels_per_token=pixels, hidden=width, layers=layers),))
