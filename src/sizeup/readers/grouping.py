"""Equal blocks are described once: a list of blocks in model order becomes groups with the positions they stand at."""

from __future__ import annotations

from collections.abc import Iterable

from sizeup.layers import Block
from sizeup.model import Group


def group_blocks(blocks: Iterable[Block], first: int = 0) -> tuple[Group, ...]:
    """Groups of equal blocks in order of first appearance; positions count from `first` and ascend within a group."""
    positions: dict[Block, list[int]] = {}
    for position, block in enumerate(blocks, start=first):
        positions.setdefault(block, []).append(position)
    return tuple(Group(block, tuple(places)) for block, places in positions.items())
