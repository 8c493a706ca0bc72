"""SGLang's own settings: the keywords that `sizeup.account(engine="sglang")` takes, checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UserError
from ...figure import Number, plain
from ...settable import one_of
from ..serving.cards import Card
from ..serving.checks import DTYPES, check_count, check_types

CACHE_BYTES = {"auto": 0, "bfloat16": 2, "bf16": 2, "fp8_e4m3": 1, "fp8_e5m2": 1, "fp8": 1}
"""Bytes of one cached number; "auto" has the model's."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One way to start the server. Counts may be figures; everything else is a flag or a name."""

    context_tokens: int = 8192
    """Tokens that all `sequences` together may hold; a request may be as long as its share (`--context-length`)."""
    sequences: int = 1
    """Requests at the same time that the pool has to hold at full length."""
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    mem_fraction_static: float | None = None
    """Share of a card's free memory for weights and cache; None is what the server makes of the card."""
    kv_cache_dtype: str = one_of(*CACHE_BYTES)
    dtype: str = one_of(*DTYPES)
    page_size: int = 1
    chunked_prefill_size: int | None = None
    cuda_graph_max_bs: int | None = None
    max_total_tokens: int | None = None
    """Token slots of the pool; None is what the memory holds."""
    kv_cache_bytes: int | None = None
    """Bytes of the pool on each rank, where they are known from a log; no setting of the server."""
    prefix_caching: bool = True
    expert_parallel: bool = False
    """Whole experts on each rank, as many on one as on another, instead of a part of every expert."""
    cards: tuple[Card, ...] = ()
    """The cards of the machine; ranks take the first ones. Empty: no memory is known, and the pool is as small as it may be."""

    def __post_init__(self) -> None:
        for name in ("context_tokens", "sequences", "tensor_parallel", "pipeline_parallel", "page_size"):
            check_count(name, getattr(self, name))
        for name in ("chunked_prefill_size", "cuda_graph_max_bs", "max_total_tokens", "kv_cache_bytes"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        check_types("SGLang", self.kv_cache_dtype, CACHE_BYTES, self.dtype)
        share = self.mem_fraction_static
        if share is not None and not 0 < plain(share) < 1:
            raise UserError(f"mem_fraction_static = {share} is no share of a card's memory.", "0.85")

    @property
    def ranks(self) -> int:
        return int(plain(self.tensor_parallel)) * int(plain(self.pipeline_parallel))

    @property
    def length(self) -> Number:
        """Tokens that one request may have."""
        return self.context_tokens // self.sequences
