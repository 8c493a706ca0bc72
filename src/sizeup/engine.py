"""What an engine must answer. An engine is one module or package under engines/; it drives a program and knows its rules."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple, Protocol

from .hardware import Machine
from .model import ModelSpec, Tensor
from .plan import Breakdown, Claim
from .work import Work


class Draft(NamedTuple):
    """A smaller model that proposes tokens which the larger one checks in one step."""

    model: ModelSpec
    quant: str | None
    settings: Any
    tokens: int
    """Proposed at a time."""


class Engine(Protocol):
    """One inference engine: how many token slots it allocates, its buffers, what it supports, its command line."""

    name: str
    """As people write it: "llama.cpp"."""
    Settings: type
    """Frozen dataclass of the engine's own settings; its fields are the keywords of `sizeup.account`."""

    def on(self, settings: Any, machine: Machine, given: Collection[str]) -> Any:
        """The settings with what the engine sees by itself of the machine it runs on; those named in `given` stay."""
        ...

    def account(self, model: ModelSpec, quant: str | None, settings: Any, compute: tuple[Claim, ...] | None = None) -> Breakdown:
        """Bytes per part and pool. Raises Refused with the engine's reason when it would not start.

        `compute` stands in for the working buffers, which take by far the longest to lay out: a search that tries thousands
        of settings takes those of similar ones, and lays out only what it means to keep.
        """
        ...

    def tensors(self, model: ModelSpec, quant: str | None) -> tuple[Tensor, ...]:
        """The model's tensors with the types the engine would load: as stored, or as the mix gives them."""
        ...

    def work(
        self, model: ModelSpec, quant: str | None, settings: Any, tokens: int = 1, depth_tokens: int = 0, sequences: int = 1
    ) -> tuple[Work, ...]:
        """What one step moves and computes in each pool: `tokens` new tokens for each of `sequences` at this depth."""
        ...

    def quants(self, model: ModelSpec) -> list[str | None]:
        """Number formats or mixes to try for a model that nobody named one for, preferred first; None is as stored."""
        ...

    def draft(self, settings: Any) -> Draft | None:
        """The model that drafts under these settings; None when each token is decoded by itself."""
        ...

    def command(self, model: ModelSpec, quant: str | None, settings: Any) -> str:
        """The command line that starts the engine with these settings."""
        ...
