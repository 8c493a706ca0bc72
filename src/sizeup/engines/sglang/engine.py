"""SGLang as an engine."""

from __future__ import annotations

from ...figure import plain
from ...model import ModelSpec
from ...plan import Claim, ServingBreakdown
from ..serving.engine import ServingEngine
from ..serving.formats import format_of
from ..serving.pages import Kept, kept_layers
from ..vllm.refusals import check_split
from .account import account
from .command import command
from .fraction import chunk, largest_batch
from .settings import CACHE_BYTES
from .settings import Settings as Given


class Sglang(ServingEngine):
    """The engine's rules. Token slots are exact for a pool of known bytes; what a server finds free at start is its own affair."""

    name = "SGLang"
    Settings = Given
    seen = False

    def account(self, model: ModelSpec, quant: str | None, settings: Given, compute: tuple[Claim, ...] | None = None) -> ServingBreakdown:
        """Bytes per part and rank, and the pool. `compute` is not needed: everything here is quickly known."""
        return account(model, quant, settings)

    def kept(self, model: ModelSpec, quant: str | None, settings: Given) -> list[Kept]:
        """The cache of every layer, a slot a token."""
        form = format_of(model, quant, settings.dtype)
        value = CACHE_BYTES[settings.kv_cache_dtype] or form.plain.block_bytes
        eight = settings.kv_cache_dtype.startswith("fp8")
        return kept_layers(model, int(plain(settings.tensor_parallel)), value, 1, form.plain.block_bytes, eight)

    def limits(self, settings: Given) -> tuple[int, int]:
        """Pieces of a prompt as it sets them by memory, and as many sequences as it has CUDA graphs for (it lets more in)."""
        return chunk(settings), largest_batch(settings)

    def check(self, model: ModelSpec, settings: Given) -> None:
        """Raises Refused where a size does not divide."""
        check_split(model, int(plain(settings.tensor_parallel)), int(plain(settings.pipeline_parallel)), settings.expert_parallel)

    def command(self, model: ModelSpec, quant: str | None, settings: Given) -> str:
        """`python -m sglang.launch_server` with these settings."""
        return command(model, quant, settings)
