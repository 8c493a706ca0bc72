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


def side(fields: Fields, name: str, most: int, default: int | None = None) -> int:
    """Pixels along one side; configs write one number or a pair."""
    if isinstance(fields.raw(name), (list, tuple)):
        pair = fields.integers(name, least=1, most=most)
        if pair:
            return pair[0]
    return fields.integer(name, most=most) if default is None else fields.integer(name, default=default, most=most)


def pooling_head(fields: Fields, width: int, feed: int) -> Shapes:
    """SigLIP's attention pooling, when a checkpoint has it: a probe, attention, a norm and a feed-forward part."""
    if not fields.flag("vision_use_head"):
        return ()
    return (
        ("v.head.probe", (width,)),
        *linear("v.head.attn_qkv", width, 3 * width),
        *linear("v.head.attn_out", width, width),
        *norm("v.head.ln", width, "layer"),
        *linear("v.head.ffn_up", width, feed),
        *linear("v.head.ffn_down", feed, width),
    )


def patches(fields: Fields, width: int, *, bias: bool = True, frames: int = 1, default: int = 14) -> Shapes:
    """The first convolution: one vector per square patch of `frames` pictures."""
    patch = side(fields, "patch_size", 1024, default)
    channels = fields.integer("num_channels", "in_channels", "in_chans", default=3, most=64)
    weight = ("v.patch_embd.weight", (patch, patch, channels * frames, width))
    return (weight, ("v.patch_embd.bias", (width,))) if bias else (weight,)


def places(fields: Fields, patch: int = 14) -> int:
    """Patches in a picture of the tower's own size."""
    along = side(fields, "image_size", MOST_PICTURE) // side(fields, "patch_size", 1024, patch)
    return along * along
