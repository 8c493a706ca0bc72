"""SGLang as an engine."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from ...engine import Draft
from ...errors import Refused
from ...figure import plain
from ...hardware import Machine
from ...model import ModelSpec, Tensor
from ...plan import Claim, ServingBreakdown, Speed
from ...work import Work
from ..serving import pace, work
from ..serving.cards import cards
from ..serving.formats import format_of, named
from ..serving.listing import listed
from ..serving.pages import Kept, kept_layers
from ..serving.spread import spread
from ..serving.tries import formats
from ..vllm.refusals import check_split
from .account import account
from .command import command
from .settings import CACHE_BYTES
from .settings import Settings as Given


class Sglang:
    """The engine's rules. Token slots are exact for a pool of known bytes; what a server finds free at start is its own affair."""

    name = "SGLang"
    Settings = Given

    def on(self, settings: Given, machine: Machine, given: Collection[str]) -> Given:
        """With the cards of the machine. Raises UserError where there is none that SGLang runs on."""
        return replace(settings, cards=cards(machine, self.name))

    def account(self, model: ModelSpec, quant: str | None, settings: Given, compute: tuple[Claim, ...] | None = None) -> ServingBreakdown:
        """Bytes per part and rank, and the pool. `compute` is not needed: everything here is quickly known."""
        return account(model, quant, settings)

    def tensors(self, model: ModelSpec, quant: str | None) -> tuple[Tensor, ...]:
        """As stored, or those that the layers imply in the format asked for."""
        return listed(model, format_of(model, quant))

    def work(
        self, model: ModelSpec, quant: str | None, settings: Given, tokens: int = 1, depth_tokens: int = 0, sequences: int = 1
    ) -> tuple[Work, ...]:
        """One step of `tokens` new tokens for each of `sequences`, rank by rank."""
        form = format_of(model, quant, settings.dtype)
        return work.work(
            model,
            form,
            settings.tensor_parallel,
            settings.pipeline_parallel,
            _kept(model, quant, settings),
            tokens,
            depth_tokens,
            sequences,
        )

    def paced(
        self,
        machine: Machine,
        model: ModelSpec,
        quant: str | None,
        settings: Given,
        metric: str,
        tokens: int,
        depth_tokens: int,
        sequences: int,
    ) -> Speed | None:
        """Tokens per second of all sequences together, by the step model of serving engines."""
        form, kept = format_of(model, quant, settings.dtype), _kept(model, quant, settings)
        ranks, stages = settings.tensor_parallel, settings.pipeline_parallel
        return pace.speed(machine, model, form, ranks, stages, kept, metric, tokens, depth_tokens, sequences, seen=False)

    def draft(self, settings: Given) -> Draft | None:
        """Nothing is drafted here."""
        return None

    def quants(self, model: ModelSpec) -> list[str | None]:
        """Quantisations to try, the checkpoint's own first."""
        return [*formats(model)]

    def named(self, quant: str) -> str:
        """The number format that a quantisation's usual name means."""
        return named(quant)

    def spread(self, model: ModelSpec, settings: Given, given: Collection[str]) -> Iterator[dict[str, Any]]:
        """Ways to share the model among the cards."""
        for ways in spread(len(settings.cards), given):
            tried = replace(settings, **ways)
            try:
                check_split(model, int(plain(tried.tensor_parallel)), int(plain(tried.pipeline_parallel)))
            except Refused:
                continue
            yield ways

    def command(self, model: ModelSpec, quant: str | None, settings: Given) -> str:
        """`python -m sglang.launch_server` with these settings."""
        return command(model, quant, settings)


def _kept(model: ModelSpec, quant: str | None, settings: Given) -> list[Kept]:
    form = format_of(model, quant, settings.dtype)
    value = CACHE_BYTES[settings.kv_cache_dtype] or form.plain.block_bytes
    return kept_layers(
        model, int(plain(settings.tensor_parallel)), value, 1, form.plain.block_bytes, settings.kv_cache_dtype.startswith("fp8")
    )
