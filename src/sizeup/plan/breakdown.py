"""What is claimed where: bytes by part and pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, NotRequired, TypedDict, cast

from ..figure import Number, plain, total, whole

PARTS = (
    "weights",
    "repacked",
    "cache",
    "state",
    "compute",
    "output",
    "projector",
    "adapter",
    "draft",
    "process",
    "overhead",
    "gradients",
    "optimizer",
    "master",
    "activations",
    "logits",
    "buffers",
)
"""Every part a breakdown may have, in the order it is shown."""


class Correction(NamedTuple):
    """What this machine's own measurements changed of a claim."""

    engine: str
    version: str
    """The engine's, under which it was measured."""
    factor: float
    """Measured over predicted; the middle of the runs."""
    spread: float
    """Half the distance between the least and the most of them."""
    runs: int
    date: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Bytes of one part in one pool."""

    part: str
    pool: str
    bytes: Number
    within: float = 0.0
    """Stated relative uncertainty: 0 is exact to the byte, 0.05 is ± 5 %."""
    reclaimable: bool = False
    """Pages of a mapped file that running does not need again (the originals of repacked rows): the system may drop them."""
    label: str = ""
    """A finer name inside the part ("mapped", "sliding-window cache"); a message key."""
    correction: Correction | None = None
    """None: as the formula says it."""

    @property
    def needed_bytes(self) -> Number:
        """What must be free for it: the upper end of its stated band; nothing for pages that running never needs again."""
        if self.reclaimable:
            return 0
        return whole(plain(self.bytes) * (1 + self.within)) if self.within else plain(self.bytes)


class CorrectionJson(TypedDict):
    """A correction for programs."""

    engine: str
    version: str
    factor: float
    spread: float
    runs: int
    date: str


class ClaimJson(TypedDict):
    """A claim for programs."""

    part: str
    pool: str
    bytes: int
    within: float
    reclaimable: bool
    label: str
    correction: CorrectionJson | None


class PoolJson(TypedDict):
    """A pool of cache pages for programs."""

    num_blocks: int
    least_blocks: int
    block_bytes: int
    block_tokens: int
    blocks_per_request: int
    request_tokens: int
    max_concurrency: float
    tokens: int
    printed_tokens: int


class BreakdownJson(TypedDict):
    """A breakdown for programs. `pool` is there for serving engines."""

    total_bytes: int
    claims: list[ClaimJson]
    notes: list[str]
    pool: NotRequired[PoolJson]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A sum of claims; claims of the same part and pool may repeat with different labels."""

    claims: tuple[Claim, ...]
    notes: tuple[str, ...] = ()
    """What the engine made of the settings when that differs from what was asked."""

    def bytes(self, part: str | None = None, pool: str | None = None) -> Number:
        """Bytes of this part in this pool; None means all of them. 0 when there is no such claim."""
        return total(c.bytes for c in self.claims if part in (None, c.part) and pool in (None, c.pool))

    def kept_bytes(self, part: str | None = None, pool: str | None = None) -> Number:
        """As `bytes`, without pages that running never needs again."""
        return total(c.bytes for c in self.claims if part in (None, c.part) and pool in (None, c.pool) and not c.reclaimable)

    def by_part(self) -> dict[str, Number]:
        """Bytes per part over all pools, in the order of PARTS."""
        present = {c.part for c in self.claims}
        return {part: self.bytes(part=part) for part in PARTS if part in present}

    def by_pool(self) -> dict[str, Number]:
        """Bytes per pool over all parts."""
        return {pool: self.bytes(pool=pool) for pool in dict.fromkeys(c.pool for c in self.claims)}

    @property
    def corrections(self) -> dict[str, Correction]:
        """What was corrected, by part; of a part in several pools the correction that changes most."""
        found: dict[str, Correction] = {}
        for claim in self.claims:
            if claim.correction and abs(claim.correction.factor - 1) >= abs(found.get(claim.part, claim.correction).factor - 1):
                found[claim.part] = claim.correction
        return found

    @property
    def total_bytes(self) -> Number:
        return self.bytes()

    def as_reported(self) -> dict[str, int]:
        """Bytes per part as an engine reports its buffers: the recurrent state is part of its cache."""
        parts = {part: int(plain(bytes)) for part, bytes in self.by_part().items()}
        if "state" in parts:
            parts["cache"] = parts.get("cache", 0) + parts.pop("state")
        return parts

    def needed_bytes(self, pool: str) -> int:
        """What must be free in this pool: every claim at the upper end of its stated band, reclaimable pages left out."""
        return sum(int(c.needed_bytes) for c in self.claims if c.pool == pool)

    def to_json(self) -> BreakdownJson:
        return {
            "total_bytes": int(plain(self.total_bytes)),
            "claims": [
                {
                    "part": c.part,
                    "pool": c.pool,
                    "bytes": int(plain(c.bytes)),
                    "within": c.within,
                    "reclaimable": c.reclaimable,
                    "label": c.label,
                    "correction": None if c.correction is None else cast(CorrectionJson, c.correction._asdict()),
                }
                for c in self.claims
            ],
            "notes": list(self.notes),
        }
