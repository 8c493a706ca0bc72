"""Ways to share a model among the cards of a machine."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any


def spread(cards: int, given: Collection[str]) -> Iterator[dict[str, Any]]:
    """Ranks that split every tensor times stages, the fewest cards first; what is in `given` stays."""
    if {"tensor_parallel", "pipeline_parallel"} & set(given):
        yield {}
        return
    powers = [1 << power for power in range(cards.bit_length()) if 1 << power <= cards]
    for ranks in powers:
        yield {"tensor_parallel": ranks, "pipeline_parallel": 1}
    for ranks in powers:
        if cards // ranks > 1:
            yield {"tensor_parallel": ranks, "pipeline_parallel": cards // ranks}
