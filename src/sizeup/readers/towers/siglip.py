"""SigLIP towers and what joins each to its language model: Gemma 3, PaliGemma, LLaVA-OneVision, SmolVLM, LFM2-VL, Command A Vision."""

from __future__ import annotations

from sizeup.layers import Tower
from sizeup.readers.body import Shapes, norm
from sizeup.readers.fields import Fields

from . import Beside, Found
from .qwen import TOWER_LAYERS
from .vit import blocks, linear, patches, places, pooling_head


def read(beside: Beside) -> Found:
    vision = beside.section("vision_config")
    width, feed = vision.integer("hidden_size", default=1152), vision.integer("intermediate_size", default=4304)
    layers = vision.integer("num_hidden_layers", default=27, most=TOWER_LAYERS)
    cells = vision.integer("num_patches", default=None) or places(vision)
    joins, tokens = joining(beside.outer, width, beside.body.hidden, cells)
    shapes = (
        *patches(vision, width),
        ("v.position_embd.weight", (width, cells)),
        *blocks(layers, width, feed),
        *norm("v.post_ln", width, "layer"),
        *pooling_head(vision, width, feed),
        *joins,
    )
    return Found((Tower("vision", shapes, tokens_per_image=tokens, hidden=width, layers=layers),))


def joining(outer: Fields, width: int, hidden: int, cells: int) -> tuple[Shapes, int]:
    """Shapes of the projector, and tokens that a picture of the tower's own size becomes."""
    kind = outer.text("model_type")
    if kind in ("smolvlm", "idefics3"):
        scale = outer.integer("scale_factor", default=2, most=64)
        return linear("mm.model.fc", width * scale * scale, hidden, bias=False), cells // (scale * scale)
    if kind in ("lfm2_vl", "cohere2_vision"):
        scale = outer.integer("downsample_factor", default=2, most=64)
        square = width * scale * scale
        if kind == "cohere2_vision":
            middle = outer.integer("alignment_intermediate_size", default=36864)
            return (*linear("mm.1", square, middle), *linear("mm.2", middle // 2, hidden)), cells // (scale * scale)
        middle, bias = outer.integer("projector_hidden_size", default=2560), outer.flag("projector_bias", default=True)
        first = norm("mm.input_norm", square, "layer") if outer.flag("projector_use_layernorm", default=True) else ()
        return (*first, *linear("mm.1", square, middle, bias), *linear("mm.2", middle, hidden, bias)), cells // (scale * scale)
    if kind == "llava_onevision":
        return (("mm.image_newline", (hidden,)), *linear("mm.0", width, hidden), *linear("mm.2", hidden, hidden)), cells
    if kind == "paligemma":
        return linear("mm.0", width, hidden), cells
    pooled = outer.integer("mm_tokens_per_image", default=256)
    return (("mm.input_projection.weight", (width, hidden)), *norm("mm.soft_emb_norm", width)), pooled
