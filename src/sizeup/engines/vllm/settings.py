"""vLLM's own settings: the keywords that `sizeup.account(engine="vllm")` takes, checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UserError
from ...figure import Number, plain
from ...settable import one_of
from ..serving.cards import Card
from ..serving.checks import DTYPES, check_count, check_types
from .release import newest, release

CACHE_BYTES = {"auto": 0, "bfloat16": 2, "float16": 2, "half": 2, "fp8": 1, "fp8_e4m3": 1, "fp8_e5m2": 1, "fp8_inc": 1}
"""Bytes of one cached number; "auto" has the model's."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One way to start the server. Counts may be figures; everything else is a flag or a name."""

    context_tokens: int = 8192
    """Tokens that all `sequences` together may hold; a request may be as long as its share (`--max-model-len`)."""
    sequences: int = 1
    """Requests at the same time that the pool has to hold at full length."""
    max_model_len: int | None = None
    """Tokens of one request; None is `context_tokens` shared out among the sequences."""
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    gpu_memory_utilization: float | None = None
    """Share of a card's memory that the server takes; None is the release's default."""
    kv_cache_dtype: str = one_of(*CACHE_BYTES)
    dtype: str = one_of(*DTYPES)
    block_size: int | None = None
    num_blocks: int | None = None
    """Blocks of the pool (`--num-gpu-blocks-override`); None is what the memory holds."""
    kv_cache_bytes: int | None = None
    """Bytes of the pool on each rank (`--kv-cache-memory-bytes`)."""
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    enforce_eager: bool = False
    """No CUDA graphs."""
    prefix_caching: bool = True
    expert_parallel: bool = False
    """Whole experts on each rank, as many on one as on another, instead of a part of every expert."""
    engine_version: str = ""
    """The release; "" is the one that was read."""
    cards: tuple[Card, ...] = ()
    """The cards of the machine; ranks take the first ones. Empty: no memory is known, and the pool is as small as it may be."""

    def __post_init__(self) -> None:
        for name in ("context_tokens", "sequences", "tensor_parallel", "pipeline_parallel"):
            check_count(name, getattr(self, name))
        for name in ("max_model_len", "block_size", "num_blocks", "kv_cache_bytes", "max_num_seqs", "max_num_batched_tokens"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        check_types("vLLM", self.kv_cache_dtype, CACHE_BYTES, self.dtype)
        share = self.gpu_memory_utilization
        if share is not None and not 0 < plain(share) <= 1:
            raise UserError(f"gpu_memory_utilization = {share} is no share of a card's memory.", "0.9")
        release(self.engine_version or newest())

    @property
    def version(self) -> str:
        return self.engine_version or newest()

    @property
    def ranks(self) -> int:
        return int(plain(self.tensor_parallel)) * int(plain(self.pipeline_parallel))

    @property
    def length(self) -> Number:
        """Tokens that one request may have."""
        return self.max_model_len if self.max_model_len is not None else self.context_tokens // self.sequences

    @property
    def utilization(self) -> float:
        share = self.gpu_memory_utilization
        return float(release(self.version)["utilization"] if share is None else share)
