"""Keys, values and states as mlx-lm keeps them: capacity in steps, rings for windows, quantised from a token on.

Source: mlx-lm 0.32.2, models/cache.py (KVCache, QuantizedKVCache, RotatingKVCache, ArraysCache) and generate.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ...facts import data_json
from ...figure import Number, is_column, least, most, plain, round_up, step
from ...layers import Attention, CompressedAttention, LatentAttention, Part
from ...model import ModelSpec
from ...quant import Quant
from ...quant import quant as quant_of
from ..checkpoints import Kept
from .formats import mlx_type
from .settings import Settings

STEP = 256
"""Token slots that a cache grows by (data/mlx.json)."""


class Length(NamedTuple):
    """Tokens of one sequence: at the end, read before the first answer token, read at once."""

    tokens: Number
    prefilled: Number
    at_once: Number


class Form(NamedTuple):
    """Formats of keys and values in the cache."""

    float: Quant
    bits: int
    group: int

    def row_bytes(self, values: Number) -> Number:
        """Bytes of one token's values of all heads: packed in words, and a scale and a bias for each group."""
        if not self.bits:
            return self.float.row_bytes(values)
        return values * self.bits // 8 + values // self.group * 2 * self.float.row_bytes(1)


def length(settings: Settings) -> Length:
    """How long each sequence gets. The last token of a prompt is read with the first answer, by itself."""
    tokens = settings.context_tokens // settings.sequences
    prompt = tokens if settings.prompt_tokens is None else least(settings.prompt_tokens, tokens)
    return Length(tokens, most(prompt - 1, 0), settings.prefill_tokens)


def form(model: ModelSpec, settings: Settings, float: str, long: Length) -> Form:
    """The cache's format at the end: quantised when asked for and long enough."""
    quantised = settings.kv_bits and not is_column(long.tokens) and plain(long.tokens) >= settings.kv_start
    return Form(quant_of(float), settings.kv_bits if quantised else 0, settings.kv_group)


def rings(model: ModelSpec) -> bool:
    """Whether the model's sliding layers get a ring as long as their window; otherwise they keep everything."""
    facts = data_json("mlx.json")["rotating"]
    name = mlx_type(model)
    return name in facts["types"] and (name not in facts["with_layer_types"] or bool(model.config.get("layer_types")))


def kept(model: ModelSpec, part: Part, form: Form, long: Length) -> Iterator[Kept]:
    """What this part of a layer keeps for one sequence, in cache and state."""
    full = capacity(long.tokens, long.prefilled, long.at_once)
    if isinstance(part, Attention) and part.caches:
        if plain(part.window) and part.chunked:
            yield Kept("cache", "window", part.cache_bytes(least(full, part.window + long.at_once + STEP), form, form), 0.1)
        elif plain(part.window) and rings(model):
            slots = ring_tokens(part.window, long.prefilled, long.tokens)
            yield Kept("cache", "window", part.cache_bytes(slots, form, form))
            more = most(least(long.prefilled, part.window - 1 + long.at_once) - slots, 0)
            yield Kept("cache", "window_prefill", part.cache_bytes(more, form, form))
        else:
            yield Kept("cache", "", part.cache_bytes(full, form, form))
    elif isinstance(part, LatentAttention):
        yield Kept("cache", "", latent(model, part, full, form))
        if part.indexer is not None:
            yield Kept("cache", "indexer", 2 * part.indexer.cache_bytes(full, form, form))
    elif isinstance(part, CompressedAttention):
        yield Kept("cache", "window", part.cache_bytes(least(part.window or full, full), form, form), 0.5)
        if part.ratio:
            yield Kept("cache", "pooled", part.pooled_bytes(full // part.ratio, form), 0.5)
    if plain(part.state_values()):
        yield Kept("state", "", state_bytes(part, form.float), 0.0 if plain(part.channels) else 0.5)


def latent(model: ModelSpec, part: LatentAttention, slots: Number, form: Form) -> Number:
    """Bytes of one layer's slots of MLA, as the model's family keeps them."""
    if mlx_type(model) in data_json("mlx.json")["latent"]["types"]:
        return latent_bytes(part.kv_rank, part.rope_dim, slots, form)
    return latent_bytes(part.heads * (part.nope_dim + part.rope_dim), part.heads * part.value_dim, slots, form)


@step("mlx_capacity")
def capacity(tokens: Number, prefilled: Number, at_once: Number) -> Number:
    """Token slots of an ordinary cache: whole steps from where it last overflowed."""
    if is_column(tokens) or is_column(prefilled) or plain(at_once) % STEP == 0:
        return round_up(tokens, STEP)
    # Prompts read in odd pieces leave the last overflow between steps.
    slots = done = 0
    while done < plain(tokens):
        piece = min(plain(at_once), plain(prefilled) - done) if done < plain(prefilled) else 1
        if done + piece > slots:
            slots = done + -(-piece // STEP) * STEP
        done += piece
    return slots


@step("mlx_ring")
def ring_tokens(window: Number, prefilled: Number, tokens: Number) -> Number:
    """Token slots of a sliding layer's ring while it decodes: its prompt and whole steps more, up to the window."""
    return least(window, prefilled + round_up(most(tokens - prefilled, 0), STEP))


@step("mlx_latent")
def latent_bytes(keys: Number, values: Number, slots: Number, form: Any) -> Number:
    """Bytes of so many slots of MLA: the latent and its rotary part, or whole keys and values in families that unpack them."""
    return slots * (form.row_bytes(keys) + form.row_bytes(values))


@step("mlx_state")
def state_bytes(part: Part, float: Any) -> Number:
    """Bytes of a recurrent layer: its convolution's window, one shorter than the kernel, in the model's type, and its state."""
    facts = data_json("mlx.json")
    own = type(part).__name__ in facts["state_own_type"]["parts"]
    wide = float.row_bytes(1) if own else int(facts["state"]["bytes"])
    window = part.channels * (part.kernel - 1) if plain(part.channels) else 0  # type: ignore[attr-defined]
    return window * float.row_bytes(1) + (part.state_values() - window) * wide
