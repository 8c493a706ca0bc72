"""InternViT as InternVL uses it: scaled residuals, a class token, squares of patches joined by a norm and two matrices."""

from __future__ import annotations

from sizeup.layers import Tower
from sizeup.readers.body import norm

from . import Beside, Found
from .qwen import TOWER_LAYERS
from .vit import blocks, linear, patches, places


def read(beside: Beside) -> Found:
    vision, hidden = beside.section("vision_config"), beside.body.hidden
    width, feed = vision.integer("hidden_size", default=1024), vision.integer("intermediate_size", default=4096)
    layers, cells = vision.integer("num_hidden_layers", default=24, most=TOWER_LAYERS), places(vision)
    merge = round(1 / max(beside.outer.number("downsample_ratio", default=0.5) or 0.5, 1 / 64))
    kind = "rms" if vision.text("norm_type") == "rms_norm" else "layer"
    bias = vision.flag("attention_bias", "qkv_bias")
    scales = [(f"v.blk.{layer}.ls{n}.weight", (width,)) for layer in range(layers) for n in (1, 2)]
    # Queries, keys and values may lack a bias; the output projection always has one.
    unbiased = [shape for shape in blocks(layers, width, feed, kind=kind) if bias or ".bias" not in shape[0] or ".attn_out." in shape[0]
                or ".ffn_" in shape[0] or ".ln" in shape[0]]  # fmt: skip
    inner = vision.flag("use_qk_norm", "qk_normalization")
    heads = (
        [(f"v.blk.{layer}.{name}.weight", (width,)) for layer in range(layers) for name in ("attn_q_norm", "attn_k_norm")] if inner else []
    )
    square = width * merge * merge
    shapes = (
        *patches(vision, width),
        ("v.class_embd", (width,)),
        ("v.position_embd.weight", (width, cells + 1)),
        *unbiased,
        *scales,
        *heads,
        *norm("mm.model.mlp.0", square, "layer"),
        *linear("mm.model.mlp.1", square, hidden),
        *linear("mm.model.mlp.3", hidden, hidden),
    )
    return Found((Tower("vision", shapes, tokens_per_image=cells // (merge * merge), hidden=width, layers=layers),))
