"""MLX as an engine: the claims of every part, put together."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from ...engine import Draft
from ...errors import Refused
from ...facts import data_json
from ...figure import is_column, plain, total
from ...hardware import Machine
from ...layers import Attention, LatentAttention
from ...model import ModelSpec, Tensor
from ...plan import Breakdown, Claim
from ...quant import quant as quant_of
from ...work import Work
from ..checkpoints import kept_claims, tensors
from .cache import Form, Length, form, kept, length, rings
from .command import command
from .compute import logits_bytes, working
from .formats import format_of, mlx_type, stored_as
from .settings import Settings as Given
from .weights import outside, weight_bytes
from .work import work as step_work


class Mlx:
    """The engine's rules. Exact to the byte: weights, caches, states, logits; working memory and the process say their bands."""

    name = "mlx"
    backend = "mlx"
    """What its rates are kept by, beside llama.cpp's Metal (data/speed_rates.json)."""
    Settings = Given

    def on(self, settings: Given, machine: Machine, given: Collection[str]) -> Given:
        """With the pool that a Mac's GPU shares with its processor, and macOS's limit of it."""
        metal = next((device for device in machine.devices if device.kind == "metal"), None)
        seen: dict[str, Any] = {"pool": "unified" if machine.pool("unified") else "ram"}
        if metal is not None:
            seen["wired_limit_bytes"] = metal.limit_bytes
        return replace(settings, **{name: value for name, value in seen.items() if name not in given})

    def account(self, model: ModelSpec, quant: str | None, settings: Given, compute: tuple[Claim, ...] | None = None) -> Breakdown:
        """Bytes per part and pool, with these claims as working memory if given. Raises Refused with the engine's reason."""
        format, long = format_of(model, quant), length(settings)
        _check(model, settings, long)
        facts, weights = data_json("mlx.json"), weight_bytes(model, format)
        other = facts["other_rules"]
        within = float(other["within"]) if format.packed and format.model_type in other["types"] else 0.0
        claims = [Claim("weights", settings.pool, weights, within)]
        claims += _cache_claims(model, settings, long, form(model, settings, format.float, long))
        each = quant_of(format.float).row_bytes(1)
        if compute is None:
            size = working(model, settings.sequences, long, each)
            compute = (Claim("compute", settings.pool, size, float(facts["compute"]["within"])),)
        claims += compute
        claims.append(Claim("output", settings.pool, logits_bytes(model.vocabulary, settings.sequences, each)))
        claims.append(Claim("process", settings.pool, facts["process"]["bytes"], facts["process"]["within"]))
        return Breakdown(tuple(claims), _notes(model, settings, weights))

    def tensors(self, model: ModelSpec, quant: str | None) -> tuple[Tensor, ...]:
        """Every weight with the type it is held in, by llama.cpp's names; a block's weights are numbered by its place."""
        format = format_of(model, quant)
        return tensors(model, (Tensor(name, shape, format.of(name, shape)) for name, shape in outside(model)), format.of)

    def work(
        self, model: ModelSpec, quant: str | None, settings: Given, tokens: int = 1, depth_tokens: int = 0, sequences: int = 1
    ) -> tuple[Work, ...]:
        """One decode step of a Mac's GPU. Nothing of a prompt, and nothing of a processor: no published runs say what they reach under MLX."""
        if tokens > 1 or settings.pool != "unified":
            return ()
        long = Length(depth_tokens + 1, depth_tokens, settings.prefill_tokens)
        format = format_of(model, quant)
        return (step_work(model, format, form(model, settings, format.float, long), depth_tokens, sequences),)

    def quants(self, model: ModelSpec) -> list[str | None]:
        """What the model's config says where mlx-lm converted it; else what mlx-lm converts to, four bits first."""
        if stored_as(model) is not None:
            return [stored_as(model)]
        native = (model.card.get("native_quantization") or {}).get("quant_method") == "mxfp4"
        first = ["mlx-mxfp4"] if native else []
        return [*first, "mlx-4bit-g64", "mlx-8bit-g64", "mlx-6bit-g64", "mlx-3bit-g64", format_of(model, None).float]

    def draft(self, settings: Given) -> Draft | None:
        """None: speculative decoding is not accounted for."""
        return None

    def command(self, model: ModelSpec, quant: str | None, settings: Given) -> str:
        """`mlx_lm.generate` or `mlx_lm.server` with these settings."""
        return command(model, format_of(model, quant), settings)


def _check(model: ModelSpec, settings: Given, long: Length) -> None:
    facts = data_json("mlx.json")
    if model.stored == "gguf":
        raise Refused(f"mlx-lm loads safetensors, and {model.name} is a GGUF file.", "the model's name on Hugging Face")
    if mlx_type(model) not in facts["models"]["types"]:
        raise Refused(f"mlx-lm: Model type {model.model_type} not supported.", "another engine")
    if not model.causal:
        raise Refused(f"mlx-lm generates text, and {model.name} is an encoder.", "another engine")
    if not settings.kv_bits or is_column(long.tokens) or plain(long.tokens) < settings.kv_start:
        return
    if plain(settings.sequences) > 1:
        raise Refused("mlx-lm serves one request at a time with a quantised cache.", "kv_bits=0, or sequences=1")
    for group in model.groups:
        for part in group.block.mixers:
            if isinstance(part, Attention) and plain(part.window) and rings(model):
                raise Refused("mlx-lm: RotatingKVCache Quantization NYI.", "kv_bits=0")
            if isinstance(part, LatentAttention):
                raise Refused(f"mlx-lm does not quantise the cache of {model.name}, which is a latent.", "kv_bits=0")
            if isinstance(part, Attention) and any(plain(side) % settings.kv_group for side in (part.key_dim, part.value_dim)):
                raise Refused(
                    f"mlx-lm: the last dimension of the matrix needs to be divisible by the quantization group size {settings.kv_group}; "
                    f"a head has {plain(part.key_dim)} values.",
                    "kv_group=32, or kv_bits=0",
                )


def _cache_claims(model: ModelSpec, settings: Given, long: Length, form: Form) -> Iterator[Claim]:
    each = (
        (settings.pool, group.layers, one) for group in model.groups for part in group.block.mixers for one in kept(model, part, form, long)
    )
    found = tuple(kept_claims(each, settings.sequences))
    yield from found
    caches = settings.prompt_caches
    if caches is None:
        serves = settings.server or plain(settings.sequences) > 1
        caches = int(data_json("mlx.json")["server"]["prompt_caches"]) if serves else 0
    if caches:
        lasting = total(claim.bytes for claim in found if claim.label != "window_prefill")
        yield Claim("cache", settings.pool, caches * (lasting // settings.sequences), label="prompt_caches")


def _notes(model: ModelSpec, settings: Given, weights: int) -> tuple[str, ...]:
    said, each = [], plain(settings.context_tokens) // plain(settings.sequences)
    if model.context_tokens and not is_column(each) and each > model.context_tokens:
        said.append(f"context_beyond_model:{model.context_tokens}")
    if settings.wired_limit_bytes and weights > data_json("mlx.json")["wired"]["warns_from"] * settings.wired_limit_bytes:
        said.append(f"near_wired_limit:{weights * 100 // settings.wired_limit_bytes}")
    return tuple(said)
