"""Examples about the cache: what a context takes, and what each kind of attention makes of it."""

from __future__ import annotations

from sizeup.layers.attention import Attention, LatentAttention
from sizeup.memory import account
from sizeup.quant import quant

from .scene import MIX, Figures, Found, Scene, Told, size

HALF = 2
"""Bytes of an F16 value."""


def _at(scene: Scene, tokens: int) -> Figures:
    return {"model": scene.name(), "tokens": Told(scene.context(tokens), "tokens", "given")}


def cache(scene: Scene, tokens: int = 8192) -> Found:
    """What a token keeps and what a context comes to."""
    f16 = quant("F16")
    bytes = size(scene.account(tokens=tokens).bytes("cache"))
    return "", {
        **_at(scene, tokens), "each": Told(size(scene.model.cache_row_bytes(f16, f16)), "bytes"), "bytes": Told(bytes, "bytes"), **scene.room(),
    }  # fmt: skip


def cache_types(scene: Scene, tokens: int = 32768) -> Found:
    """The cache in three formats."""
    figures = _at(scene, tokens)
    for kind in ("f16", "q8_0", "q4_0"):
        figures[kind] = Told(size(scene.account(tokens=tokens, k=kind, v=kind).bytes("cache")), "bytes")
    return "", figures


def longest(scene: Scene) -> Found:
    """The longest context that the machine has room for."""
    from sizeup import search

    found = search.longest_context(scene.plan)
    limit = scene.model.context_tokens or 0
    figures: Figures = {"model": scene.name(), "mix": scene.mixed(), "limit": Told(limit, "tokens", "published"), **scene.room()}
    return ("", {**figures, "tokens": Told(found, "tokens")}) if found else ("none", figures)


def heads(scene: Scene, tokens: int = 32768) -> Found:
    """The cache as it is, and as it would be with one pair of keys and values for each query head."""
    part = next(p for g in scene.model.groups for p in g.block.mixers if isinstance(p, Attention))
    bytes = size(scene.account(tokens=tokens).bytes("cache"))
    return "", {
        **_at(scene, tokens), "heads": Told(part.heads, "count", "published"), "kv_heads": Told(part.kv_heads, "count", "published"),
        "bytes": Told(bytes, "bytes"), "full": Told(bytes * part.heads // part.kv_heads, "bytes", "derived"),
    }  # fmt: skip


def latent(scene: Scene, tokens: int = 32768) -> Found:
    """The cache of latent attention, and what full keys and values of all its heads would take."""
    layers = [(p, g.layers) for g in scene.model.groups for p in g.block.mixers if isinstance(p, LatentAttention)]
    cells = scene.context(tokens)
    full = sum(n * cells * p.heads * (p.nope_dim + p.rope_dim + p.value_dim) * HALF for p, n in layers)
    bytes = size(scene.account(tokens=tokens).bytes("cache"))
    return "", {
        **_at(scene, tokens), "heads": Told(layers[0][0].heads, "count", "published"), "bytes": Told(bytes, "bytes"),
        "full": Told(full, "bytes", "derived"),
    }  # fmt: skip


def window(scene: Scene, tokens: int = 32768) -> Found:
    """The cache with its sliding windows, and with every layer looking at everything."""
    near = size(scene.account(tokens=tokens).bytes("cache"))
    full = size(scene.account(tokens=tokens, swa_full=True).bytes("cache"))
    return "", {**_at(scene, tokens), "bytes": Told(near, "bytes"), "full": Told(full, "bytes")}


def state(scene: Scene, tokens: int = 8192, more: int = 65536) -> Found:
    """What a model with recurrent layers keeps at two contexts."""
    short, long = scene.account(tokens=tokens), scene.account(tokens=more)
    return "", {
        **_at(scene, tokens), "cache": Told(size(short.bytes("cache")), "bytes"), "state": Told(size(short.bytes("state")), "bytes"),
        "more": Told(scene.context(more), "tokens", "given"), "more_cache": Told(size(long.bytes("cache")), "bytes"),
        "more_state": Told(size(long.bytes("state")), "bytes"),
    }  # fmt: skip


def sequences(scene: Scene, count: int = 4, tokens: int = 8192) -> Found:
    """The cache of several conversations, each with a context of its own."""
    one = size(scene.account(tokens=tokens).bytes("cache"))
    each = scene.context(tokens)
    all = size(account(scene.model, "llama.cpp", scene.mix(MIX), context_tokens=each * count, sequences=count).bytes("cache"))
    return "", {**_at(scene, tokens), "count": Told(count, "count", "given"), "one": Told(one, "bytes"), "bytes": Told(all, "bytes")}
