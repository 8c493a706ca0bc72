"""GLM-4.1V's and 4.5V's tower: RMS norms, gated blocks without biases, a convolution that merges squares, a gated merger."""

from __future__ import annotations

from sizeup.layers import Tower
from sizeup.readers.body import norm

from . import Beside, Found
from .qwen import TOWER_LAYERS
from .vit import blocks, linear, patches, places


def read(beside: Beside) -> Found:
    vision = beside.section("vision_config")
    width, layers = vision.integer("hidden_size", default=1536), vision.integer("depth", default=24, most=TOWER_LAYERS)
    out, feed = vision.integer("out_hidden_size", default=beside.body.hidden), vision.integer("intermediate_size", default=13696)
    merge, bias = vision.integer("spatial_merge_size", default=2, most=64), vision.flag("attention_bias")
    shapes = (
        *patches(vision, width, frames=vision.integer("temporal_patch_size", default=2, most=64)),
        ("v.position_embd.weight", (width, places(vision))),
        *norm("v.norm_embd", width),
        *blocks(layers, width, out, kind="rms", bias=bias, feed_bias=False, gated=True, fused=True),
        *norm("v.post_ln", width),
        ("mm.patch_merger.weight", (merge, merge, width, out)),
        ("mm.patch_merger.bias", (out,)),
        *linear("mm.model.fc", out, out, bias=False),
        *norm("mm.post_norm", out, "layer"),
        *linear("mm.gate", out, feed, bias=False),
        *linear("mm.up", out, feed, bias=False),
        *linear("mm.down", feed, out, bias=False),
    )
    pixels = vision.integer("patch_size", default=14, most=1024) * merge
    return Found((Tower("vision", shapes, pixels_per_token=pixels, hidden=width, layers=layers),))
