"""The common vision transformer as shapes, under llama.cpp's projector names (`v.blk.N.…`)."""

from __future__ import annotations

from collections.abc import Iterator

from sizeup.readers.body import Shapes, norm
from sizeup.readers.fields import Fields

MOST_PICTURE = 1 << 15
"""Most pixels a picture's side may have."""


def linear(name: str, row: int, rows: int, bias: bool = True) -> Shapes:
    """A linear map with its bias."""
    weight = (f"{name}.weight", (row, rows))
    return (weight, (f"{name}.bias", (rows,))) if bias else (weight,)


def blocks(
    layers: int,
    width: int,
    feed: int,
    *,
    kind: str = "layer",
    bias: bool = True,
    feed_bias: bool | None = None,
    gated: bool = False,
    fused: bool = False,
    inner: int = 0,
    prefix: str = "v",
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Pre-norm blocks: two norms, queries, keys and values `inner` wide (the tower's width by default), a feed-forward part."""
    feed_bias, inner = bias if feed_bias is None else feed_bias, inner or width
    for layer in range(layers):
        at = f"{prefix}.blk.{layer}"
        yield from norm(f"{at}.ln1", width, kind)
        if fused:
            yield from linear(f"{at}.attn_qkv", width, 3 * inner, bias)
        else:
            for name in ("attn_q", "attn_k", "attn_v"):
                yield from linear(f"{at}.{name}", width, inner, bias)
        yield from linear(f"{at}.attn_out", inner, width, bias)
        yield from norm(f"{at}.ln2", width, kind)
        if gated:
            yield from linear(f"{at}.ffn_gate", width, feed, feed_bias)
        yield from linear(f"{at}.ffn_up", width, feed, feed_bias)
        yield from linear(f"{at}.ffn_down", feed, width, feed_bias)


def patches(fields: Fields, width: int, *, bias: bool = True, frames: int = 1, default: int = 14) -> Shapes:
    """The first convolution: one vector per square patch of `frames` pictures."""
    patch = fields.integer("patch_size", default=default, most=1024)
    channels = fields.integer("num_channels", "in_channels", "in_chans", default=3, most=64)
    weight = ("v.patch_embd.weight", (patch, patch, channels * frames, width))
    return (weight, ("v.patch_embd.bias", (width,))) if bias else (weight,)


def places(fields: Fields, patch: int = 14) -> int:
    """Patches in a picture of the tower's own size."""
    side = fields.integer("image_size", most=MOST_PICTURE) // fields.integer("patch_size", default=patch, most=1024)
    return side * side
