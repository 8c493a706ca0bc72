"""Step 3.7's tower: scaled residuals, two convolutions that halve the picture's sides, one projection."""

from __future__ import annotations

from sizeup.layers import Tower
from sizeup.readers.body import norm

from . import Beside, Found
from .qwen import TOWER_LAYERS
from .vit import blocks, linear, patches, places


def read(beside: Beside) -> Found:
    vision = beside.section("vision_config")
    width, feed = vision.integer("hidden_size", default=1536), vision.integer("intermediate_size", default=8960)
    layers, cells = vision.integer("num_hidden_layers", default=47, most=TOWER_LAYERS), places(vision)
    shapes = (
        *patches(vision, width, bias=False),
        ("v.position_embd.weight", (width, cells)),
        *norm("v.pre_ln", width, "layer"),
        *blocks(layers, width, feed),
        *((f"v.blk.{layer}.ls{n}.weight", (width,)) for layer in range(layers) for n in (1, 2)),
        *down("mm.down.0", width),
        *down("mm.down.1", 2 * width),
        *linear("mm.model.fc", 4 * width, beside.body.hidden, beside.outer.flag("projector_bias")),
    )
    return Found((Tower("vision", shapes, tokens_per_image=cells // 16, hidden=width, layers=layers),))


def down(name: str, width: int) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """A 3x3 convolution to twice the width."""
    return ((f"{name}.weight", (3, 3, width, 2 * width)), (f"{name}.bias", (2 * width,)))
