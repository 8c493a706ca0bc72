"""The roofline's rates from what ghosts of known shapes took: each step's formula is solved for the rate that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sizeup.roofline import Load

PASSES = 3
"""How often reading weights and reading the cache are solved, each with what the other was found to be."""


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


def solved(wide: Mapping[str, Seen], layers: Seen, experts: Seen, cache: Seen) -> dict[str, Any]:
    """The rates of `calibration.Calibration` by name.

    `wide` are ghosts of few large layers by format, `layers` one of many tiny layers, `experts` one of routed experts and `cache` one
    with a long prompt, both in the first format of `wide`.
    """
    layer_s = layers.decode_s / float(layers.one.layers)
    first = next(iter(wide))
    flops = {key: _flops(seen.batch) / _rest(seen.prefill_s, layer_s * float(seen.batch.layers)) for key, seen in wide.items()}

    mixing = float(cache.batch.mixing_flops) / _rest(
        cache.prefill_s, layer_s * float(cache.batch.layers) + _flops(cache.batch) / flops[first]
    )

    def known(seen: Seen, flops_per_s: float, row_s: float) -> float:
        """Seconds of a decode step that are not spent on reading weights."""
        fixed = layer_s * float(seen.one.layers) + _flops(seen.one) / flops_per_s
        return fixed + row_s * float(seen.one.cache_rows)

    row_s, read = 0.0, {"": 1.0}
    for _ in range(PASSES):
        read = {key: _bytes(seen.one) / _rest(seen.decode_s, known(seen, flops[key], row_s)) for key, seen in wide.items()}
        shallow = known(cache, flops[first], 0.0) + _bytes(cache.one) / read[first] + float(cache.one.mixing_flops) / mixing
        shallow += float(cache.one.cache_bytes) / max(read.values())
        row_s = _rest(cache.decode_s, shallow) / float(cache.one.cache_rows)
    others = known(experts, flops[first], row_s) + _bytes(experts.one) / read[first]
    expert_layer, expert_rows = _experts(experts, others, flops[first], layer_s)
    return {
        "read_bytes_per_s": read | {"": min(read.values())},
        "flops_per_s": flops | {"": min(flops.values())},
        "cache_row_s": row_s,
        "mixing_flops_per_s": mixing,
        "layer_s": layer_s,
        "expert_layer": expert_layer,
        "expert_rows": expert_rows,
    }


def _experts(seen: Seen, others_s: float, flops: float, layer_s: float) -> tuple[float, float]:
    """How many times a layer with experts takes the fixed time of a dense one, and the rows that each expert's batch is padded by.

    `others_s` are the seconds of its decode step that are known already.
    """
    times = 1 + max(0.0, (seen.decode_s - others_s) / float(seen.one.expert_layers) / layer_s)
    dense, routed = (sum(float(part.flops) for part in seen.batch.reads if part.routed is flag) / flops for flag in (False, True))
    rows = min(float(part.rows) for part in seen.batch.reads if part.routed)
    spent = seen.prefill_s - dense - layer_s * times * float(seen.batch.layers)
    return times, max(0.0, (spent / routed - 1) * rows)


def _bytes(step: Load) -> float:
    return sum(float(part.bytes) for part in step.reads)


def _flops(step: Load) -> float:
    return sum(float(part.flops) for part in step.reads)


def _rest(spent: float, known: float) -> float:
    """What is left of a time; never so little that a disturbed measurement makes a rate of it that no machine has."""
    return max(spent - known, spent / 4)
