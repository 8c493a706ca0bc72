"""Which layers each pipeline stage holds."""

from __future__ import annotations

import functools

from ...layers import Block
from ...model import ModelSpec


@functools.lru_cache(maxsize=1024)
def spans(layers: int, stages: int, last_too: bool = False) -> tuple[range, ...]:
    """Layers of every stage: as many each; what is left over goes to the stages before the last, from the end, or with `last_too` to
    the last ones (vLLM 0.33.0 and SGLang 0.5.23, distributed/utils.py, get_pp_indices)."""
    counts = [layers // stages] * stages
    for number in range(1, layers % stages + 1):
        counts[-number if last_too else -number - 1] += 1
    found, start = [], 0
    for count in counts:
        found.append(range(start, start + count))
        start += count
    return tuple(found)


def blocks(model: ModelSpec) -> list[Block]:
    """The model's blocks in order."""
    placed = {position: group.block for group in model.groups for position in group.positions}
    return [placed[position] for position in sorted(placed)]
