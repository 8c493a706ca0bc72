"""What vLLM and SGLang answer alike: shared among ranks, one step model, formats of checkpoints, nothing drafted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from ...engine import Draft
from ...errors import Refused
from ...hardware import Machine
from ...model import ModelSpec, Tensor
from ...plan import Speed
from ...work import Work
from . import pace, replicas, work
from .cards import cards
from .formats import format_of, named
from .listing import listed
from .load import Replica
from .pages import Kept
from .spread import spread
from .tries import formats


class ServingEngine:
    """The half of a serving engine that is the same for all; an engine adds its pool, its refusals and its command."""

    name: str
    Settings: type
    seen = True
    """Whether the step model was held against more than a handful of published runs of this engine."""

    def kept(self, model: ModelSpec, quant: str | None, settings: Any) -> list[Kept]:
        """The cache of every layer."""
        raise NotImplementedError

    def check(self, model: ModelSpec, settings: Any) -> None:
        """Raises Refused where the engine would not start with this split."""
        raise NotImplementedError

    def on(self, settings: Any, machine: Machine, given: Collection[str]) -> Any:
        """With the cards of the machine. Raises UserError where there is none that the engine runs on."""
        return replace(settings, cards=cards(machine, self.name))

    def tensors(self, model: ModelSpec, quant: str | None) -> tuple[Tensor, ...]:
        """As stored, or those that the layers imply in the format asked for."""
        return listed(model, format_of(model, quant))

    def work(
        self, model: ModelSpec, quant: str | None, settings: Any, tokens: int = 1, depth_tokens: int = 0, sequences: int = 1
    ) -> tuple[Work, ...]:
        """One step of `tokens` new tokens for each of `sequences`, rank by rank."""
        form, kept = format_of(model, quant, settings.dtype), self.kept(model, quant, settings)
        return work.work(model, form, settings.tensor_parallel, settings.pipeline_parallel, kept, tokens, depth_tokens, sequences)

    def paced(
        self,
        machine: Machine,
        model: ModelSpec,
        quant: str | None,
        settings: Any,
        metric: str,
        tokens: int,
        depth_tokens: int,
        sequences: int,
    ) -> Speed | None:
        """Tokens per second of all sequences together, by the step model of serving engines."""
        form, kept = format_of(model, quant, settings.dtype), self.kept(model, quant, settings)
        ranks, stages = settings.tensor_parallel, settings.pipeline_parallel
        return pace.speed(machine, model, form, ranks, stages, kept, metric, tokens, depth_tokens, sequences, seen=self.seen)

    def limits(self, settings: Any) -> tuple[int, int]:
        """(tokens of a step, sequences of a step) that the server starts with."""
        raise NotImplementedError

    def replica(self, machine: Machine, model: ModelSpec, quant: str | None, settings: Any, places: int | None = None) -> Replica | None:
        """The server as `load` wants it; None where a card's bandwidth is not known. `places` is what the cache holds at a time, where
        that is fewer than the server lets in."""
        form, kept = format_of(model, quant, settings.dtype), self.kept(model, quant, settings)
        ranks, stages = int(settings.tensor_parallel), int(settings.pipeline_parallel)
        found = replicas.staged(machine, model, form, ranks, stages, kept)
        chunk, most = self.limits(settings)
        return None if found is None else replicas.replica(found, min(most, places or most), chunk)

    def draft(self, settings: Any) -> Draft | None:
        """Nothing is drafted here."""
        return None

    def quants(self, model: ModelSpec) -> list[str | None]:
        """Quantisations to try, the checkpoint's own first."""
        return [*formats(model)]

    def named(self, quant: str) -> str:
        """The number format that a quantisation's usual name means."""
        return named(quant)

    def spread(self, model: ModelSpec, settings: Any, given: Collection[str]) -> Iterator[dict[str, Any]]:
        """Ways to share the model among the cards."""
        for ways in spread(len(settings.cards), given):
            try:
                self.check(model, replace(settings, **ways))
            except Refused:
                continue
            yield ways
