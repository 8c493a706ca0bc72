"""The roofline's rates from what ghosts of known shapes took: each step's formula is solved for the rate that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sizeup.roofline import Load


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

    def known(seen: Seen, flops_per_s: float) -> float:
        """Seconds of a decode step that are not spent on reading. The few cells that it attends to count as reading."""
        return layer_s * float(seen.one.layers) + _flops(seen.one) / flops_per_s

    read = {key: _bytes(seen.one) / _rest(seen.decode_s, known(seen, flops[key])) for key, seen in wide.items()}
    others = known(experts, flops[first]) + _bytes(experts.one) / read[first]
    expert_layer, expert_rows = _experts(experts, others, flops[first], layer_s)
    mixing = float(cache.batch.mixing_flops) / _rest(
        cache.prefill_s, layer_s * float(cache.batch.layers) + _flops(cache.batch) / flops[first]
    )
    shallow = known(cache, flops[first]) + _bytes(cache.one) / read[first] + float(cache.one.mixing_flops) / mixing
    cache_rate = float(cache.one.cache_bytes) / _rest(cache.decode_s, shallow)
    return {
        "read_bytes_per_s": read | {"": min(read.values())},
        "flops_per_s": flops | {"": min(flops.values())},
        "cache_bytes_per_s": cache_rate,
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
