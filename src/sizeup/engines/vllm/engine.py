"""vLLM as an engine."""

from __future__ import annotations

from ...model import ModelSpec
from ...plan import Claim, ServingBreakdown
from ..serving.engine import ServingEngine
from ..serving.formats import format_of
from ..serving.pages import Kept
from .account import account, layers
from .command import command
from .peak import batch
from .refusals import check
from .settings import Settings as Given


class Vllm(ServingEngine):
    """The engine's rules. Pages, blocks and concurrency are exact for a pool of known size; the rest says its band."""

    name = "vLLM"
    Settings = Given

    def account(self, model: ModelSpec, quant: str | None, settings: Given, compute: tuple[Claim, ...] | None = None) -> ServingBreakdown:
        """Bytes per part and rank, and the pool. `compute` is not needed: everything here is quickly known."""
        return account(model, quant, settings)

    def kept(self, model: ModelSpec, quant: str | None, settings: Given) -> list[Kept]:
        """The cache of every layer."""
        return layers(model, format_of(model, quant, settings.dtype), settings)

    def limits(self, settings: Given) -> tuple[int, int]:
        """As said, else the release's defaults for such a card."""
        return batch(settings)

    def check(self, model: ModelSpec, settings: Given) -> None:
        """Raises Refused with vLLM's own reason."""
        check(model, settings)

    def command(self, model: ModelSpec, quant: str | None, settings: Given) -> str:
        """`vllm serve` with these settings."""
        return command(model, quant, settings)
