"""vLLM as an engine."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from ...engine import Draft
from ...errors import Refused
from ...hardware import Machine
from ...model import ModelSpec, Tensor
from ...plan import Claim, ServingBreakdown, Speed
from ...work import Work
from ..serving import pace, work
from ..serving.cards import cards
from ..serving.formats import format_of, named
from ..serving.listing import listed
from ..serving.spread import spread
from ..serving.tries import formats
from .account import account, layers
from .command import command
from .refusals import check
from .settings import Settings as Given


class Vllm:
    """The engine's rules. Pages, blocks and concurrency are exact for a pool of known size; the rest says its band."""

    name = "vLLM"
    Settings = Given

    def on(self, settings: Given, machine: Machine, given: Collection[str]) -> Given:
        """With the cards of the machine. Raises UserError where there is none that vLLM runs on."""
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
            layers(model, form, settings),
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
        form = format_of(model, quant, settings.dtype)
        found = layers(model, form, settings)
        return pace.speed(
            machine, model, form, settings.tensor_parallel, settings.pipeline_parallel, found, metric, tokens, depth_tokens, sequences
        )

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
            try:
                check(model, replace(settings, **ways))
            except Refused:
                continue
            yield ways

    def command(self, model: ModelSpec, quant: str | None, settings: Given) -> str:
        """`vllm serve` with these settings."""
        return command(model, quant, settings)
