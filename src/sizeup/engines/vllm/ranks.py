"""What every rank takes: its weights, its working space, and what that leaves for the pool of cache pages."""

from __future__ import annotations

import math
from typing import NamedTuple

from ...figure import Number, least, plain, step
from ...model import ModelSpec
from ..serving.formats import Format
from ..serving.stages import spans
from ..serving.weights import Held, Rank, held
from .groups import Group, block_bytes
from .peak import Band, activation, graphs, outside_torch
from .release import release
from .settings import Settings

WEIGHTS_WITHIN = 0.002
"""What the weights' bytes may be off by: temporaries of loading that the profiler's peak holds."""


class Share(NamedTuple):
    """One rank's memory."""

    rank: Rank
    pool: str
    weights: Held
    activation: Band
    graphs: Band
    outside: Band
    block_bytes: Number
    """Of one block in the layers of this rank; 0 when they keep nothing."""
    requested: int | None
    """What the server may take of its card; None when no memory is known."""

    @property
    def beside(self) -> Number:
        """Likely bytes beside the pool that are taken off it."""
        return self.weights.bytes + self.activation.bytes + self.outside.bytes

    @property
    def within_bytes(self) -> int:
        """How many more or fewer those may be."""
        return int(self.weights.bytes * WEIGHTS_WITHIN) + self.activation.within_bytes + self.outside.within_bytes


def shares(model: ModelSpec, form: Format, settings: Settings, groups: tuple[Group, ...]) -> tuple[Share, ...]:
    """Every rank, stage by stage."""
    found = []
    stages, each = int(plain(settings.pipeline_parallel)), int(plain(settings.tensor_parallel))
    for stage, span in enumerate(spans(model.layers, stages)):
        rank = Rank(stage, stages, each)
        bytes = block_bytes(groups, span) if groups else 0
        parts = held(model, form, rank), activation(model, settings, rank, form.plain.block_bytes), graphs(model, settings, rank)
        for number in range(stage * each, (stage + 1) * each):
            requested = None
            if settings.cards:
                requested = math.ceil(settings.cards[number].total_bytes * settings.utilization)
            found.append(Share(rank, f"vram:{number}", *parts, outside_torch(settings), bytes, requested))
    return tuple(found)


@step("pool_slots")
def pool_blocks(room: Number, bytes: Number) -> Number:
    """Blocks that the room on a rank holds."""
    return room // bytes


def room(share: Share, settings: Settings, doubt: int = 0) -> Number:
    """Bytes for the pool on one rank; `doubt` 1 takes everything else at the upper end of its band."""
    if settings.kv_cache_bytes is not None:
        return settings.kv_cache_bytes
    assert share.requested is not None
    taken = share.beside + doubt * share.within_bytes
    if release(settings.version)["graphs_charged"]:
        taken = taken + share.graphs.bytes + doubt * share.graphs.within_bytes
    return share.requested - taken


def blocks(found: tuple[Share, ...], settings: Settings, doubt: int = 0) -> Number | None:
    """Blocks of the pool: the fewest that a rank holds. None when no memory is known and none was given."""
    if settings.num_blocks is not None:
        return settings.num_blocks
    if settings.kv_cache_bytes is None and not settings.cards:
        return None
    counts = [pool_blocks(room(share, settings, doubt), share.block_bytes) for share in found if plain(share.block_bytes)]
    return least(*counts) if counts else None
