"""The pool of cache pages that a serving engine makes, beside its claims."""

from __future__ import annotations

from dataclasses import dataclass

from ..figure import Number, plain
from .breakdown import Breakdown, BreakdownJson, PoolJson


@dataclass(frozen=True, slots=True)
class Pool:
    """Pages for all requests together, the same number on every rank."""

    num_blocks: Number
    """The likely number."""
    least_blocks: Number
    """With everything beside it at the upper end of its band."""
    block_bytes: Number
    """Of one block on the rank that holds fewest."""
    block_tokens: Number
    blocks_per_request: Number
    """Of a request as long as the server allows."""
    request_tokens: Number
    """Tokens of such a request."""
    printed_tokens: int
    """What the server's log calls its size in tokens."""

    @property
    def max_concurrency(self) -> float:
        """Requests of full length that fit at the same time."""
        return float(plain(self.num_blocks) / plain(self.blocks_per_request)) if plain(self.blocks_per_request) else 0.0

    @property
    def tokens(self) -> int:
        """Tokens of requests of full length that fit at the same time."""
        return int(self.max_concurrency * int(plain(self.request_tokens)))

    def to_json(self) -> PoolJson:
        return {
            "num_blocks": int(plain(self.num_blocks)),
            "least_blocks": int(plain(self.least_blocks)),
            "block_bytes": int(plain(self.block_bytes)),
            "block_tokens": int(plain(self.block_tokens)),
            "blocks_per_request": int(plain(self.blocks_per_request)),
            "request_tokens": int(plain(self.request_tokens)),
            "max_concurrency": self.max_concurrency,
            "tokens": self.tokens,
            "printed_tokens": self.printed_tokens,
        }


@dataclass(frozen=True, slots=True)
class ServingBreakdown(Breakdown):
    """A breakdown whose cache is a pool of pages."""

    pool: Pool | None = None

    @property
    def max_concurrency(self) -> float:
        """Requests of full length that fit at the same time; 0 for a model that keeps nothing."""
        return self.pool.max_concurrency if self.pool else 0.0

    @property
    def num_blocks(self) -> int:
        return int(plain(self.pool.num_blocks)) if self.pool else 0

    @property
    def tokens(self) -> int:
        """Tokens of requests of full length that fit at the same time."""
        return self.pool.tokens if self.pool else 0

    @property
    def printed_tokens(self) -> int:
        """What the server's log calls the pool's size in tokens."""
        return self.pool.printed_tokens if self.pool else 0

    def to_json(self) -> BreakdownJson:
        # A slotted dataclass is made anew, so that super() without arguments does not find it.
        content = Breakdown.to_json(self)
        if self.pool is not None:
            content["pool"] = self.pool.to_json()
        return content
