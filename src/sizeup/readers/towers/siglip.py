"""SigLIP towers with one linear map to the language model: Gemma 3 (pooled, with a norm) and PaliGemma."""

from __future__ import annotations

from sizeup.layers import Tower
from sizeup.readers.body import norm

from . import Beside, Found
from .qwen import TOWER_LAYERS
from .vit import blocks, linear, patches, places


def read(beside: Beside) -> Found:
    vision = beside.section("vision_config")
    width, feed = vision.integer("hidden_size"), vision.integer("intermediate_size")
    layers, cells = vision.integer("num_hidden_layers", most=TOWER_LAYERS), places(vision)
    pooled = beside.outer.text("model_type") != "paligemma"
    joins = (
        (("mm.input_projection.weight", (width, beside.body.hidden)), *norm("mm.soft_emb_norm", width))
        if pooled
        else linear("mm.0", width, beside.body.hidden)
    )
    shapes = (
        *patches(vision, width),
        ("v.position_embd.weight", (width, cells)),
        *blocks(layers, width, feed),
        *norm("v.post_ln", width, "layer"),
        *joins,
    )
    tokens = beside.outer.integer("mm_tokens_per_image", default=256) if pooled else cells
    return Found((Tower("vision", shapes, tokens_per_image=tokens, hidden=width, layers=layers),))
