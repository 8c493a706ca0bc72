"""Llama 4's tower: a ViT with a class token and a pixel-shuffle adapter."""

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
    inward, outward = vision.integer("projector_input_dim"), vision.integer("projector_output_dim")
    shuffle = vision.number("pixel_shuffle_ratio", default=0.5) or 0.5
    shapes = (
        *patches(vision, width, bias=False),
        ("v.class_embd", (width,)),
        ("v.position_embd.weight", (width, cells + 1)),
        *norm("v.pre_ln", width, "layer"),
        *blocks(layers, width, feed),
        *norm("v.post_ln", width, "layer"),
        *linear("mm.model.mlp.1", feed, inward, bias=False),
        *linear("mm.model.mlp.2", inward, outward, bias=False),
        *linear("mm.model.fc", vision.integer("vision_output_dim"), beside.body.hidden, bias=False),
    )
    return Found((Tower("vision", shapes, tokens_per_image=int(cells * min(shuffle, 1.0) ** 2), hidden=width, layers=layers),))
