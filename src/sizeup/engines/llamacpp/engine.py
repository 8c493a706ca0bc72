"""llama.cpp as an engine: the claims of every part, put together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from ...engine import Draft
from ...errors import UserError
from ...facts import data_json
from ...figure import is_column, plain
from ...hardware import Machine
from ...model import ModelSpec, Tensor
from ...plan import Breakdown, Claim
from ...work import Work
from .cache import cache_claims, output_claim
from .command import command
from .compute_offload import offload_claims
from .compute_rough import rough_claims
from .extras import draft_settings, extra_claims
from .graph.sheet import sheet
from .placement import homes
from .process import process_claims
from .refusals import check
from .repack import expected, here
from .settings import Settings as Given
from .settings import kinds
from .slots import drafted_tokens, slots
from .view import as_seen
from .weights import Load, packing, weight_claims
from .work import work

RPC_PORT = 50052
"""Where an rpc-server listens unless told otherwise (tools/rpc/README.md of b11549)."""


class LlamaCpp:
    """The engine's rules. Exact to the byte: weights, repacked weights, cache, state, output; the rest says its band."""

    name = "llama.cpp"
    Settings = Given

    def on(self, settings: Given, machine: Machine, given: Collection[str]) -> Given:
        """With the processor's instruction sets, which decide what is repacked, the cards, and their free memory, which splits the layers."""
        cards = [device for device in machine.devices if machine.pool(device.pool)]
        seen: dict[str, Any] = {"cpu_features": here() if machine.name == "this machine" else expected(machine.cpu)}
        if foreign := [card for card in cards if card.kind not in kinds() and "gpu_kind" not in given]:
            if "gpu_layers" not in given or settings.gpu_layers:
                raise UserError(
                    f"llama.cpp has no backend here for {foreign[0].name}.", "a machine with a GPU, or the host alone: --gpu-layers 0"
                )
            cards = []
        if cards:
            # What another machine lends is accounted as a card of this one.
            own = next((card for card in cards if not card.node), cards[0])
            lenders = dict.fromkeys(card.node for card in cards if card.node)
            servers = tuple(f"HOST{number}:{RPC_PORT}" for number in range(1, len(lenders) + 1))
            seen |= {"gpus": len(cards), "gpu_kind": own.kind, "rpc": servers}
            if len(cards) > 1 and not {"gpus", "tensor_split"} & set(given):
                seen["gpu_free_bytes"] = tuple(pool.free_bytes for card in cards if (pool := machine.pool(card.pool)))
        return replace(settings, **{name: value for name, value in seen.items() if name not in given})

    def account(self, model: ModelSpec, quant: str | None, settings: Given, compute: tuple[Claim, ...] | None = None) -> Breakdown:
        """Bytes per part and pool, with these claims as compute buffers if given. Raises Refused with the engine's reason when it would not start."""
        model = as_seen(model)
        check(model, settings)
        where, made = homes(model, settings), slots(model, settings)
        page = sheet(model, typed_tensors(model, quant))
        claims: list[Claim] = [*weight_claims(page, where, _load(settings))]
        claims += cache_claims(model, settings, made, where)
        try:
            claims += offload_claims(page, settings, made, where) if compute is None else compute
        except NotImplementedError:
            claims += rough_claims(model, made, where)
        claims.append(output_claim(model, settings, where))
        claims += extra_claims(model, settings, self.account, where, tuple(page.tensors.values()) if settings.adapters else ())
        claims += process_claims(model, settings, where)
        return Breakdown(tuple(claims), notes(model, settings, made.context_tokens))

    def tensors(self, model: ModelSpec, quant: str | None) -> tuple[Tensor, ...]:
        """As stored, or as the mix gives them to a model that stores none of its own."""
        return typed_tensors(model, quant) or model.tensors

    def work(
        self, model: ModelSpec, quant: str | None, settings: Given, tokens: int = 1, depth_tokens: int = 0, sequences: int = 1
    ) -> tuple[Work, ...]:
        """One step of `tokens` new tokens for each of `sequences` that hold `depth_tokens` already, pool by pool."""
        model = as_seen(model)
        page, where = sheet(model, typed_tensors(model, quant)), homes(model, settings)
        return work(page, settings, slots(model, settings), where, tokens, depth_tokens, sequences, packing(_load(settings), where))

    def quants(self, model: ModelSpec) -> list[str | None]:
        """The recommended mixes, the one a name says before any other; a file has its own."""
        if model.stored == "gguf":
            return [None]
        table = data_json("recommended_mixes.json")
        native = table["native"].get((model.card.get("native_quantization") or {}).get("quant_method"))
        # A tag of Ollama or of a GGUF repository names its quantisation; that one is meant before any other.
        first = [model.mix] if model.mix else []
        return [*dict.fromkeys([*first, *(native or table["order"])])]

    def draft(self, settings: Given) -> Draft | None:
        """The draft model with its own settings; the model's own draft blocks are not counted here."""
        if settings.draft is None:
            return None
        alone = draft_settings(settings, settings.context_tokens)
        return Draft(settings.draft, settings.draft_quant, alone, int(plain(drafted_tokens(settings))))

    def forget(self, model: ModelSpec) -> None:
        """Let go of what was kept for this model; who goes through thousands does not come back to one."""
        for spec in (as_seen(model), model):
            for name in [name for name in spec.__dict__ if name.startswith("_")]:
                del spec.__dict__[name]

    def command(self, model: ModelSpec, quant: str | None, settings: Given) -> str:
        """`llama-server` with these settings."""
        return command(model, quant, settings)


def _load(settings: Given) -> Load:
    features = settings.cpu_features if settings.cpu_features is not None else here()
    return Load(settings.mmap, settings.repack, settings.no_host, settings.gpu_kind, features, settings.mtp)


def notes(model: ModelSpec, settings: Given, context: object) -> tuple[str, ...]:
    """What the engine makes of the settings when it differs from what was asked, as message keys with numbers."""
    said = []
    if is_column(context):
        return ()  # each row would have its own
    if context != settings.context_tokens:
        said.append(f"context_rounded:{context}")
    each = settings.context_tokens if settings.unified_cache else settings.context_tokens // settings.sequences
    if model.context_tokens and each > model.context_tokens:
        said.append(f"context_beyond_model:{model.context_tokens}")
    return tuple(said)


def typed_tensors(model: ModelSpec, quant: str | None) -> tuple[Tensor, ...] | None:
    """The tensors that a mix gives a model which stores none of its own; None for a file, whose own types decide."""
    if model.stored == "gguf":
        if quant is not None and quant != model.mix:
            raise UserError(
                f"{model.name} is a file with its own types ({model.mix or 'mixed'}); it cannot be taken as {quant}.",
                "the catalogue's name of the model",
            )
        return None
    return _mixed(model, quant or "F16")


def _mixed(model: ModelSpec, mix: str) -> tuple[Tensor, ...]:
    """Kept on the model: hashing one costs more than a plan."""
    kept: dict[str, tuple[Tensor, ...]] = model.__dict__.setdefault("_mixed_tensors", {})
    found = kept.get(mix)
    if found is None:
        from .tensors import gguf_tensors

        found = kept[mix] = gguf_tensors(model, mix)
    return found
