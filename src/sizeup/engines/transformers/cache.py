"""Keys, values and recurrent states as transformers keeps them, layer by layer.

Source: transformers 5.23.0, cache_utils.py (DynamicLayer, DynamicSlidingWindowLayer, StaticLayer, StaticSlidingWindowLayer,
LinearAttentionLayer) and models/*/modeling_*.py (what attention hands to the cache: MLA its latent, not keys and values).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ...facts import data_json
from ...figure import Number, least, most, plain, step
from ...layers import Attention, CompressedAttention, LatentAttention, Part
from ...quant import Quant
from ..checkpoints import Kept
from .settings import Settings


class Length(NamedTuple):
    """Tokens of one sequence: at the end, and read in one pass at the start."""

    tokens: Number
    prompt: Number
    static: bool


def length(settings: Settings) -> Length:
    """How long each sequence gets, and how much of it is its prompt."""
    tokens = settings.context_tokens // settings.sequences
    prompt = tokens if settings.prompt_tokens is None else least(settings.prompt_tokens, tokens)
    return Length(tokens, prompt, settings.cache == "static")


def kept(part: Part, form: Quant, long: Length) -> Iterator[Kept]:
    """What this part of a layer keeps for one sequence, in cache and state."""
    if isinstance(part, Attention) and part.caches:
        yield from _attention(part, form, long)
    elif isinstance(part, LatentAttention):
        yield Kept("cache", "", latent_bytes(part, long.tokens, form))
        if part.indexer is not None:
            yield Kept("cache", "indexer", part.indexer.cache_bytes(long.tokens, form, form))
    elif isinstance(part, CompressedAttention):
        # Its layers are of a kind of their own; nobody measured them here.
        yield Kept("cache", "window", part.cache_bytes(least(part.window or long.tokens, long.tokens), form, form), 0.5)
        if part.ratio:
            yield Kept("cache", "pooled", part.pooled_bytes(long.tokens // part.ratio, form), 0.5)
    state = part.state_values()
    if plain(state):
        yield Kept("state", "", state_bytes(part, form), 0.0 if plain(part.channels) else 0.5)


def _attention(part: Attention, form: Quant, long: Length) -> Iterator[Kept]:
    if not plain(part.window):
        yield Kept("cache", "", part.cache_bytes(long.tokens, form, form))
    elif long.static:
        yield Kept("cache", "window", part.cache_bytes(least(part.window, long.tokens), form, form))
    else:
        shown, held = window_tokens(part.window, long.tokens), held_tokens(part.window, long.tokens, long.prompt)
        yield Kept("cache", "window", part.cache_bytes(shown, form, form))
        yield Kept("cache", "window_view", part.cache_bytes(held - shown, form, form))
    if part.indexer is not None:
        yield Kept("cache", "indexer", part.indexer.cache_bytes(long.tokens, form, form))


@step("transformers_window")
def window_tokens(window: Number, tokens: Number) -> Number:
    """Tokens that a sliding layer keeps between steps: one less than its window, since the next token adds itself."""
    return least(window - 1, tokens)


@step("transformers_window_held")
def held_tokens(window: Number, tokens: Number, prompt: Number) -> Number:
    """Tokens whose storage a sliding layer holds at most: the kept ones are a view of all that attention saw, first the whole prompt, later the window."""
    return most(prompt, least(window, tokens))


@step("transformers_latent")
def latent_bytes(part: LatentAttention, tokens: Number, form: Any) -> Number:
    """Bytes of the latents and their rotary parts: no keys and values, whatever other engines do with this model."""
    return tokens * (form.row_bytes(part.kv_rank) + form.row_bytes(part.rope_dim))


@step("transformers_state")
def state_bytes(part: Part, form: Any) -> Number:
    """Bytes of a recurrent layer: its convolution's window with the newest token, in the model's type, and its state in F32."""
    wide = int(data_json("transformers.json")["state"]["bytes"])
    if not plain(part.channels):
        return part.state_values() * wide
    kernel = part.kernel  # type: ignore[attr-defined]
    return part.channels * kernel * form.row_bytes(1) + (part.state_values() - part.channels * (kernel - 1)) * wide


@step("transformers_growth")
def growth_bytes(part: Attention | LatentAttention, tokens: Number, form: Any) -> Number:
    """Bytes held twice for a moment when a token is appended: a layer's keys (or values, the wider) are copied into a longer tensor."""
    if isinstance(part, LatentAttention):
        return tokens * form.row_bytes(most(part.kv_rank, part.rope_dim))
    return tokens * form.row_bytes(part.kv_heads * most(part.key_dim, part.value_dim))
