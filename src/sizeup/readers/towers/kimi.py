"""MoonViT as Kimi K2.5, K3 and Kimi-VL use it."""

from __future__ import annotations

from sizeup.layers import Tower
from sizeup.readers.body import norm

from . import Beside, Found
from .qwen import TOWER_LAYERS
from .vit import blocks, linear, patches


def read(beside: Beside) -> Found:
    vision = beside.section("vision_config")
    width = vision.integer("hidden_size", "vt_hidden_size", default=1152)
    feed = vision.integer("intermediate_size", "vt_intermediate_size", default=4304)
    layers = vision.integer("num_hidden_layers", "vt_num_hidden_layers", default=27, most=TOWER_LAYERS)
    rows = vision.integer("init_pos_emb_height", default=64) * vision.integer("init_pos_emb_width", default=64)
    kernel = vision.integers("merge_kernel_size", least=1, most=64) or [2, 2]
    square = width * kernel[0] * kernel[-1]
    inner = vision.integer("qkv_hidden_size", default=width)
    kind = "rms" if vision.text("norm_type", default="layernorm") == "rmsnorm" else "layer"
    bias, attention_bias = vision.flag("linear_bias", default=True), vision.flag("attn_bias", default=True)
    shapes = (
        *patches(vision, width, bias=vision.flag("patch_embed_proj_bias", default=True)),
        ("v.position_embd.weight", (width, rows)),
        *blocks(layers, width, feed, kind=kind, bias=attention_bias, feed_bias=bias, fused=True, inner=inner),
        *norm("v.post_ln", width, kind),
        *norm("mm.input_norm", width, kind),
        *linear("mm.1", square, square, bias),
        *linear("mm.2", square, beside.body.hidden, bias),
    )
    pixels = vision.integer("patch_size", default=14, most=1024) * kernel[0]
    return Found((Tower("vision", shapes, pixels_per_token=pixels, hidden=width, layers=layers),))
