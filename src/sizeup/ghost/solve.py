"""The roofline's rates from what ghosts of known shapes took: `roofline.terms` itself, solved for the one number that each run tells.

Every run leaves one cost open: what its step takes with that cost at nothing is known, and what is left over is the cost. All are
solved in turns, each with what the others were found to be, until nothing moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Generic, NamedTuple, TypeVar

from sizeup.roofline import Load, Pace, terms

PASSES = 40
"""Turns; each cost rules its own ghost, so that a few settle it."""

RULES, COUNTS, MAY = 0.25, 0.02, 0.0
"""The least share of its run that a cost takes, so that a disturbed measurement makes no rate of it that no machine has: of a cost
that rules it, of one that is always some of it, and of one that may be nothing."""


class Seen(NamedTuple):
    """What one ghost took, beside what its steps move and compute."""

    one: Load
    """A decode step."""
    batch: Load
    """The mean micro batch of its prompt."""
    decode_s: float
    """Seconds of a decode step."""
    prefill_s: float
    """Seconds of that micro batch."""


T = TypeVar("T")


class Ghosts(NamedTuple, Generic[T]):
    """Something of every ghost (how it is made, what it took), by what the ghost is made to tell."""

    wide: Mapping[str, T]
    """Few large layers, by format: reading weights, and multiplying with them."""
    short: Mapping[str, T]
    """Many short rows, by format: dot products."""
    layers: T
    """Many layers of a small model: a layer's fixed time, and what a prompt does between matrices."""
    experts: T
    cache: T
    """A long prompt: reading the cache, and attention over a batch."""
    heads: T
    """Many large heads that share their keys, over a cache that stays near: attention of one token."""

    def named(self) -> dict[str, T]:
        """All by names of their own: "wide Q8_0", "layers"."""
        sorts = {"wide": self.wide, "short": self.short}
        by_kind = {f"{sort} {kind}": one for sort, kinds in sorts.items() for kind, one in kinds.items()}
        return {**by_kind, "layers": self.layers, "experts": self.experts, "cache": self.cache, "heads": self.heads}


class Cost(NamedTuple):
    """Something that a step pays for, and the run that tells how much."""

    step: Load
    seconds: float
    put: Callable[[Pace, float], Pace]
    """The pace with this cost: seconds for each byte, FLOP, dot product, row or layer."""
    least: float

    def solved(self, pace: Pace) -> Pace:
        """The pace with the cost that makes its step take what was seen."""
        free, each = (sum(map(float, terms(self.step, self.put(pace, cost)))) for cost in (0.0, 1.0))
        return self.put(pace, max(self.seconds - free, self.seconds * self.least) / (each - free))


def solved(runs: Ghosts[Seen]) -> Pace:
    """The pace at which every ghost takes what it took."""
    kinds = [*runs.wide, ""]
    pace = Pace(dict.fromkeys(kinds, inf), dict.fromkeys(kinds, inf), inf, inf, 0.0, dot_s=dict.fromkeys(kinds, 0.0))
    costs = tuple(_costs(runs))
    for _ in range(PASSES):
        for cost in costs:
            pace = cost.solved(pace)
        pace = _spoken_for(pace, tuple(runs.wide), tuple(runs.short))
    return pace


def _spoken_for(pace: Pace, wide: tuple[str, ...], short: tuple[str, ...]) -> Pace:
    """The same with what no ghost tells by itself.

    Formats that were not measured ("") are the slowest, and the cache is read at the best rate of any. Dot products of other formats
    cost the mean of those that were measured; rearranged ones nothing, since their kernels take several rows at once.
    """
    assert pace.flops_per_s is not None
    assert pace.dot_s is not None
    read, flops, dots = pace.read_bytes_per_s, pace.flops_per_s, pace.dot_s
    mean = sum(float(dots[kind]) for kind in short) / len(short)
    return pace._replace(
        read_bytes_per_s={**read, "": min(read[kind] for kind in wide)},
        flops_per_s={**flops, "": min(flops[kind] for kind in wide)},
        cache_bytes_per_s=max(read[kind] for kind in wide),
        dot_s={kind: dots[kind] if kind in short else 0.0 if kind.endswith("+") else mean for kind in dots},
    )


def _costs(runs: Ghosts[Seen]) -> Iterator[Cost]:
    for kind, seen in runs.wide.items():
        yield Cost(seen.one, seen.decode_s, _reading(kind), RULES)
        yield Cost(seen.batch, seen.prefill_s, _multiplying(kind), RULES)
    for kind, seen in runs.short.items():
        yield Cost(seen.one, seen.decode_s, _dots(kind), MAY)
    cache, layers, experts = runs.cache, runs.layers, runs.experts
    yield Cost(layers.one, layers.decode_s, lambda pace, cost: pace._replace(layer_s=cost), COUNTS)
    yield Cost(layers.batch, layers.prefill_s, lambda pace, cost: pace._replace(batch_dot_s=cost), MAY)
    yield Cost(runs.heads.one, runs.heads.decode_s, lambda pace, cost: pace._replace(vector_mixing_flops_per_s=_rate(cost)), COUNTS)
    yield Cost(cache.one, cache.decode_s, lambda pace, cost: pace._replace(cache_row_s=cost), MAY)
    yield Cost(cache.batch, cache.prefill_s, lambda pace, cost: pace._replace(mixing_flops_per_s=_rate(cost)), COUNTS)
    yield Cost(experts.one, experts.decode_s, lambda pace, cost: pace._replace(expert_layer=1 + cost), MAY)
    yield Cost(experts.batch, experts.prefill_s, lambda pace, cost: pace._replace(expert_rows=cost), MAY)


def _reading(kind: str) -> Callable[[Pace, float], Pace]:
    return lambda pace, cost: pace._replace(read_bytes_per_s={**pace.read_bytes_per_s, kind: _rate(cost)})


def _multiplying(kind: str) -> Callable[[Pace, float], Pace]:
    return lambda pace, cost: pace._replace(flops_per_s={**(pace.flops_per_s or {}), kind: _rate(cost)})


def _dots(kind: str) -> Callable[[Pace, float], Pace]:
    return lambda pace, cost: pace._replace(dot_s={**(pace.dot_s or {}), kind: cost})


def _rate(cost: float) -> float:
    return 1 / cost if cost else inf
