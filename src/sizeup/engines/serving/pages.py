"""What every layer keeps for requests: a page of keys and values per block of tokens, or a state per request.

The pages are those of vLLM; SGLang, which keeps the same numbers, counts them by token.

Source: vLLM 0.33.0, v1/kv_cache_interface.py; model_executor/layers/mamba/mamba_utils.py; platforms/interface.py
(_align_hybrid_block_size).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...errors import Refused, UserError
from ...facts import data_json
from ...figure import Number, most, plain, step
from ...layers import (
    Attention,
    CompressedAttention,
    GatedDeltaNet,
    GatedLru,
    KimiDelta,
    LatentAttention,
    LightningAttention,
    Mamba1,
    Mamba2,
    Part,
    Rwkv7,
    ShortConv,
)
from ...model import ModelSpec
from .formats import text_config
from .stages import blocks

BLOCK_TOKENS = 16
LATENT_GRAIN = 128
"""Blocks of hybrids with latent attention are whole multiples of so many tokens."""
INDEX_SCALE_BYTES = 4
"""Beside every 128 values of an indexer's key, which is kept in 8 bits."""
SPARSE_LATENT_FP8_BYTES = 656
"""One token of a latent cache in 8 bits for sparse attention: 512 codes, 16 of scales, 128 of rotary values."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How one layer's cache is paged; layers whose kinds are equal share block tables."""

    kind: str
    """"full", "sliding", "chunked" or "state"."""
    page_bytes: Number
    block_tokens: Number
    window: int = 0
    latent: bool = False
    shape: tuple[int, ...] = ()
    """What else must be equal: heads and widths, so that layers of one page size and unlike shapes stay apart."""
    layer: int = 0
    """Which block of the model it belongs to."""
    padded: bool = False

    @property
    def key(self) -> tuple[Any, ...]:
        """Layers with the same key are alike."""
        return self.kind, int(plain(self.page_bytes)), int(plain(self.block_tokens)), self.window, self.latent, self.shape


@step("cache_page")
def page(block_tokens: Number, heads: Number, width: Number, value_bytes: Number) -> Number:
    """Bytes of one block of tokens in one layer on one rank: keys and values (`width` both together) of its heads."""
    return block_tokens * heads * width * value_bytes


@step("rank_heads")
def heads_a_rank(kv_heads: Number, ranks: int) -> Number:
    """Key/value heads on one rank: split, and repeated when there are fewer heads than ranks."""
    return most(kv_heads // ranks, 1)


def kept_layers(
    model: ModelSpec,
    ranks: int,
    value_bytes: int,
    block_tokens: int | None,
    usual_bytes: int = 2,
    fp8: bool = False,
    latent_grain: int = LATENT_GRAIN,
) -> list[Kept]:
    """Every layer that keeps something, in order. `value_bytes` of the cache, `usual_bytes` of the model's own numbers.

    Raises Refused for kinds of layers that vLLM has no cache for, UserError for one whose rules are not known here.
    """
    every = blocks(model)
    mixers = [(number, part) for number, block in enumerate(every) for part in block.mixers]
    states = [(number, part, state_page(model, part, ranks, usual_bytes)) for number, part in mixers if _recurrent(part)]
    tokens = block_tokens or default_block_tokens(model)
    attends = [part for _, part in mixers if not _recurrent(part) and getattr(part, "caches", True)]
    largest = max((int(plain(bytes)) for *_, bytes in states), default=0)
    if largest and attends:
        tokens = aligned_tokens(tokens, largest, attends[0], ranks, value_bytes, latent_grain)
    found: list[Kept] = []
    for number, part in mixers:
        if not _recurrent(part):
            found += _paged(part, number, ranks, value_bytes, tokens, fp8)
    shared = most(*(entry.page_bytes for entry in found)) if found and states else 0
    for number, _, bytes in states:
        wide = bytes if not found or int(plain(bytes)) > int(plain(shared)) else shared
        found.append(Kept("state", wide, tokens, layer=number, shape=(int(plain(bytes)),), padded=int(plain(wide)) > int(plain(bytes))))
    return sorted(found, key=lambda entry: entry.layer)


def default_block_tokens(model: ModelSpec) -> int:
    """Tokens of a block unless said: 64 where sparse latent attention asks for it, else 16."""
    sparse = any(isinstance(part, LatentAttention) and part.indexer is not None for group in model.groups for part in group.block.mixers)
    return 64 if sparse else BLOCK_TOKENS


def aligned_tokens(tokens: int, state: int, part: Part, ranks: int, value_bytes: int, latent_grain: int) -> int:
    """Tokens of a block in a model with states: as many as make a page of attention no smaller than a state."""
    latent = isinstance(part, LatentAttention) and part.absorbed
    grain = max(tokens, latent_grain) if latent else tokens
    one = sum(int(plain(entry.page_bytes)) for entry in _paged(part, 0, ranks, value_bytes, 1, False)[:1])
    return max(tokens, grain * -(-state // (grain * one)))


def _paged(part: Part, layer: int, ranks: int, value_bytes: int, tokens: int, fp8: bool) -> list[Kept]:
    if isinstance(part, Attention):
        if not part.caches:
            return []
        if part.cross:
            raise Refused("vLLM 0.33 has no model with cross-attention to a picture's states (Llama 3.2 Vision).", "--engine llama.cpp")
        heads = heads_a_rank(part.kv_heads, ranks)
        kind = "chunked" if part.window and part.chunked else "sliding" if part.window else "full"
        shape = (int(plain(heads)), int(plain(part.key_dim)), int(plain(part.value_dim)))
        bytes = page(tokens, heads, part.key_dim + part.value_dim, value_bytes)
        found = [Kept(kind, bytes, tokens, int(plain(part.window)), False, shape, layer)]
        if part.indexer is not None:
            found.append(
                Kept("full", page(tokens, 1, part.indexer.dim, value_bytes), tokens, 0, False, (1, int(plain(part.indexer.dim))), layer)
            )
        return found
    if isinstance(part, LatentAttention):
        if not part.absorbed:
            # Without absorbing, values are padded to the keys' width.
            heads = heads_a_rank(part.heads, ranks)
            return [Kept("full", page(tokens, heads, 2 * (part.nope_dim + part.rope_dim), value_bytes), tokens, layer=layer)]
        width = part.kv_rank + part.rope_dim
        if part.indexer is not None and fp8:
            found = [Kept("full", page(tokens, 1, SPARSE_LATENT_FP8_BYTES, 1), tokens, latent=True, layer=layer)]
        else:
            found = [Kept("full", page(tokens, 1, width, value_bytes), tokens, latent=True, layer=layer)]
        if part.indexer is not None:
            dim = int(plain(part.indexer.dim))
            found.append(Kept("full", page(tokens, 1, dim + dim // 128 * INDEX_SCALE_BYTES, 1), tokens, 0, True, (dim,), layer))
        return found
    if isinstance(part, CompressedAttention):
        raise UserError(
            "sizeup does not know yet how a server pages a compressed cache (DeepSeek-V4).",
            "--engine llama.cpp",
        )
    return []


def _recurrent(part: Part) -> bool:
    return isinstance(part, Mamba1 | Mamba2 | GatedDeltaNet | KimiDelta | LightningAttention | ShortConv | GatedLru | Rwkv7)


@step("state_page")
def state_page(model: ModelSpec, part: Part, ranks: int, usual_bytes: int, recurrent_bytes: int = 0) -> Number:
    """Bytes of one request's state in one layer on one rank: the convolution's last inputs and the recurrent state.

    `recurrent_bytes` of one number of the latter where the config does not say; 0 takes vLLM's rule.
    """
    state_bytes = state_value_bytes(model, part, usual_bytes, recurrent_bytes)
    if isinstance(part, Mamba1):
        return ((part.kernel - 1) * usual_bytes + part.state * state_bytes) * (part.inner // ranks)
    if isinstance(part, Mamba2):
        groups = part.groups if int(plain(part.groups)) % ranks == 0 else ranks
        conv = (part.inner + 2 * groups * part.state) // ranks
        return (part.kernel - 1) * conv * usual_bytes + part.inner // ranks * part.state * state_bytes
    if isinstance(part, GatedDeltaNet):
        conv = (2 * part.key_heads * part.key_dim + part.value_heads * part.value_dim) // ranks
        return (part.kernel - 1) * conv * usual_bytes + part.value_heads // ranks * part.value_dim * part.key_dim * state_bytes
    if isinstance(part, KimiDelta):
        return (part.kernel - 1) * (
            3 * part.heads * part.dim // ranks
        ) * usual_bytes + part.heads // ranks * part.dim * part.dim * state_bytes
    if isinstance(part, LightningAttention):
        return part.heads // ranks * part.dim * part.dim * state_bytes
    if isinstance(part, ShortConv):
        return (part.kernel - 1) * (part.hidden // ranks) * usual_bytes
    raise Refused(f"vLLM has no model with layers of the kind {type(part).__name__}.", "--engine llama.cpp")


def state_value_bytes(model: ModelSpec, part: Part, usual: int, recurrent: int = 0) -> int:
    """Bytes of one number of a recurrent state: what the config says, else the server's rule, which is the model's usual in vLLM."""
    config = text_config(model)
    said = config.get("mamba_ssm_dtype") or config.get("mamba_ssm_cache_dtype")
    if said:
        return {"float32": 4, "bfloat16": 2, "float16": 2}.get(str(said), usual)
    if recurrent or isinstance(part, KimiDelta):
        return recurrent or 4
    return int(data_json("vllm.json")["state_value_bytes"].get(model.model_type, usual))


def widened(found: list[Kept]) -> list[Kept]:
    """Pages of one size: smaller ones hold more tokens a block, and are padded where that does not come out even."""
    wide = most(*(entry.page_bytes for entry in found))
    result = []
    for entry in found:
        size, large = int(plain(entry.page_bytes)), int(plain(wide))
        if size == large:
            result.append(entry)
        elif entry.kind != "state" and large % size == 0:
            result.append(replace(entry, page_bytes=entry.page_bytes * (large // size), block_tokens=entry.block_tokens * (large // size)))
        else:
            result.append(replace(entry, page_bytes=wide, padded=True))
    return result
