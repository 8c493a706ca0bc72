"""Whisper-like audio encoders: Qwen2-Audio and Voxtral."""

from __future__ import annotations

from collections.abc import Iterator

from sizeup.layers import Tower
from sizeup.readers.body import Shapes, norm

from . import Beside, Found
from .qwen import TOWER_LAYERS
from .vit import linear


def read(beside: Beside) -> Found:
    audio, hidden = beside.section("audio_config"), beside.body.hidden
    width = audio.integer("d_model", "hidden_size", default=1280)
    feed = audio.integer("encoder_ffn_dim", "intermediate_size", default=5120)
    layers = audio.integer("encoder_layers", "num_hidden_layers", default=32, most=TOWER_LAYERS)
    join: Shapes = linear("mm.a.fc", width, hidden)
    if beside.outer.text("model_type") == "voxtral":
        join = (*linear("mm.a.mlp.1", feed, hidden, bias=False), *linear("mm.a.mlp.2", hidden, hidden, bias=False))
    shapes = (
        ("a.conv1d.1.weight", (3, audio.integer("num_mel_bins", default=128), width)),
        ("a.conv1d.1.bias", (width,)),
        ("a.conv1d.2.weight", (3, width, width)),
        ("a.conv1d.2.bias", (width,)),
        ("a.position_embd.weight", (width, audio.integer("max_source_positions", default=1500))),
        *(shape for layer in range(layers) for shape in block(f"a.blk.{layer}", width, feed)),
        *norm("a.post_ln", width, "layer"),
        *join,
    )
    return Found((Tower("audio", shapes, hidden=width, layers=layers),))


def block(at: str, width: int, feed: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Keys have no bias."""
    yield from norm(f"{at}.ln1", width, "layer")
    for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
        yield from linear(f"{at}.{name}", width, width, bias=name != "attn_k")
    yield from norm(f"{at}.ln2", width, "layer")
    yield from linear(f"{at}.ffn_up", width, feed)
    yield from linear(f"{at}.ffn_down", feed, width)
