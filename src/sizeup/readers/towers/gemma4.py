"""Gemma 4's towers: pictures of any shape through a gated ViT with query and key norms, sound through a conformer."""

from __future__ import annotations

from collections.abc import Iterator

from sizeup.layers import Tower
from sizeup.readers.body import norm
from sizeup.readers.fields import Fields

from . import Beside, Found
from .qwen import TOWER_LAYERS
from .vit import linear

NORMS = ("ln1", "attn_post_norm", "ln2", "ffn_post_norm")


def read(beside: Beside) -> Found:
    towers = []
    if beside.outer.section("vision_config") is not None:
        towers.append(see(beside, beside.section("vision_config")))
    if beside.outer.section("audio_config") is not None:
        towers.append(hear(beside, beside.section("audio_config")))
    return Found(tuple(towers))


def see(beside: Beside, vision: Fields) -> Tower:
    width, feed = vision.integer("hidden_size", default=768), vision.integer("intermediate_size", default=3072)
    layers = vision.integer("num_hidden_layers", default=16, most=TOWER_LAYERS)
    patch = vision.integer("patch_size", default=16, most=1024)
    rows = vision.integer("position_embedding_size", default=10240)
    standard = (("v.std_bias", (width,)), ("v.std_scale", (width,))) if vision.flag("standardize") else ()
    shapes = (
        ("v.patch_embd.weight", (patch * patch * 3, width)),
        ("v.position_embd.weight", (width, rows, 2)),
        *(shape for layer in range(layers) for shape in block(vision, f"v.blk.{layer}", width, feed)),
        *standard,
        *linear("mm.input_projection", width, beside.body.hidden, bias=False),
    )
    tokens = beside.outer.integer("vision_soft_tokens_per_image", default=280)
    return Tower("vision", shapes, tokens_per_image=tokens, hidden=width, layers=layers)


def block(vision: Fields, at: str, width: int, feed: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    heads, dim = vision.integer("num_attention_heads", default=12), vision.integer("head_dim", default=64)
    kv_heads = vision.integer("num_key_value_heads", default=heads)
    yield from linear(f"{at}.attn_q", width, heads * dim, bias=False)
    yield from linear(f"{at}.attn_k", width, kv_heads * dim, bias=False)
    yield from linear(f"{at}.attn_v", width, kv_heads * dim, bias=False)
    yield from linear(f"{at}.attn_out", heads * dim, width, bias=False)
    yield from (*norm(f"{at}.attn_q_norm", dim), *norm(f"{at}.attn_k_norm", dim))
    for name in NORMS:
        yield from norm(f"{at}.{name}", width)
    for name in ("ffn_gate", "ffn_up"):
        yield from linear(f"{at}.{name}", width, feed, bias=False)
    yield from linear(f"{at}.ffn_down", feed, width, bias=False)


def hear(beside: Beside, audio: Fields) -> Tower:
    """The conformer: two half feed-forward parts around attention with relative positions and a light convolution."""
    width, layers = audio.integer("hidden_size", default=1024), audio.integer("num_hidden_layers", default=12, most=TOWER_LAYERS)
    heads, kernel = audio.integer("num_attention_heads", default=8), audio.integer("conv_kernel_size", default=5)
    channels = audio.integers("subsampling_conv_channels", least=1) or [128, 32]
    first, second = channels[0], channels[-1]
    out, bands = audio.integer("output_proj_dims", default=1536), audio.integer("input_feat_size", default=128)
    shapes = [
        ("a.conv1d.0.weight", (3, 3, 1, first)),
        ("a.conv1d.0.norm.weight", (first,)),
        ("a.conv1d.1.weight", (3, 3, first, second)),
        ("a.conv1d.1.norm.weight", (second,)),
        ("a.input_projection.weight", (second * bands // 4, width)),
    ]
    for layer in range(layers):
        shapes += conformer(f"a.blk.{layer}", width, heads, kernel)
    shapes += linear("a.pre_encode.out", width, out)
    shapes += linear("mm.a.input_projection", out, beside.body.hidden, bias=False)
    return Tower("audio", tuple(shapes), hidden=width, layers=layers)


def conformer(at: str, width: int, heads: int, kernel: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    for half in ("ffn", "ffn_1"):
        yield from linear(f"{at}.{half}_up", width, 4 * width, bias=False)
        yield from linear(f"{at}.{half}_down", 4 * width, width, bias=False)
        yield from (*norm(f"{at}.{half}_norm", width), *norm(f"{at}.{half}_post_norm", width))
    yield f"{at}.per_dim_scale", (width // heads,)
    for name in ("attn_q", "attn_k", "attn_v", "attn_out", "attn_k_rel"):
        yield from linear(f"{at}.{name}", width, width, bias=False)
    yield from linear(f"{at}.conv_pw1", width, 2 * width, bias=False)
    yield from linear(f"{at}.conv_pw2", width, width, bias=False)
    yield f"{at}.conv_dw.weight", (kernel, width)
    for name in ("norm_conv", "conv_norm", "ln1", "ln2", "ln_out"):
        yield from norm(f"{at}.{name}", width)
