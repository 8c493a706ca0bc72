"""What devices reach of their specifications, from published runs (data/speed_rates.json, written by `python -m tools.speed`).

A rate is a product of factors: of all devices, of the backend, of the vendor, of the family and of the device itself. Where nothing
was published of a device, its family speaks for it; where nothing of the family, its vendor; and the interval widens.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .facts import data_json
from .figure import Number, where
from .roofline import Pace

RATES = ("read", "layer", "compute")
"""Share of the bandwidth reached, seconds of fixed time per layer, share of the arithmetic reached."""


def generation(family: str) -> str:
    """The family that runs are kept by: processors are one, joined pairs of Apple's chips another, of whatever generation."""
    if family.startswith("CPU"):
        return "CPU"
    return "Apple Ultra" if family.startswith("Apple") and family.endswith("Ultra") else family


def branch(device: str, family: str, backend: str) -> list[str]:
    """What a device on a backend leans on, the widest first."""
    family = generation(family)
    vendor = family.split(" ")[0]
    path = ["", backend, vendor, f"{backend}/{vendor}"]
    for kin in (*reversed(kinds_of_chip(family)), family, device):
        path += [kin, f"{backend}/{kin}"]
    return [*dict.fromkeys(path)]


def kinds_of_chip(family: str) -> list[str]:
    """What a family's chips are of, the nearest first: another family's chip with other memory, a line of designs."""
    kin = data_json("speed_rates.json")["chips"].get(family)
    return [kin, *kinds_of_chip(kin)] if kin else []


class Known(NamedTuple):
    """A device's rates, and how near the runs behind them are."""

    pace: Pace
    nearness: str
    """"device": published runs of it; "family": of its kind; "far": of others only."""
    runs: int
    """Published runs of the nearest that there are any of."""


@functools.lru_cache(maxsize=64)
def known(device: str, family: str, backend: str, bytes_per_s: float, flops_per_s: float | None, flash: bool = True) -> Known:
    """The rates of a device by its specification: memory bandwidth, and dense half-precision FLOP/s where known."""
    table = data_json("speed_rates.json")
    if (own := table["engines"].get(backend)) is not None:
        return _beside(known(device, family, own["on"], bytes_per_s, flops_per_s, flash), own, device, family)
    nodes, shared, runs = table["rates"], table["shared"], table["runs"]
    path = [node for node in branch(device, family, backend) if node in nodes]
    read, layer, compute = (_product(nodes[node][i] for node in path) for i in range(3))

    def factor(name: str) -> float:
        return float(shared.get(name, 1.0) * shared.get(f"{name}@{backend}", 1.0))

    pace = assembled(factor, table["classes"], bytes_per_s, flops_per_s, read, layer, compute, not flash)
    for nearness, node in (("device", f"{backend}/{device}"), ("family", f"{backend}/{generation(family)}")):
        if node in runs:
            return Known(pace, nearness, runs[node])
    return Known(pace, "far", max((runs[node] for node in path if node in runs), default=0))


def _beside(base: Known, own: Mapping[str, Any], device: str, family: str) -> Known:
    """The rates of an engine that was held against another's: its factors on them, as near as its own runs are."""
    pace = base.pace._replace(
        read_bytes_per_s={kind: rate * own["read"] for kind, rate in base.pace.read_bytes_per_s.items()},
        cache_bytes_per_s=base.pace.cache_bytes_per_s * own["read"],
        layer_s=base.pace.layer_s * own["layer"],
    )
    for nearness, name in (("device", device), ("family", generation(family))):
        if name in own["runs"]:
            return Known(pace, nearness, own["runs"][name])
    return Known(pace, "far", max(own["runs"].values()))


def assembled(
    factor: Callable[[str], Number],
    classes: tuple[str, ...],
    bytes_per_s: Number,
    flops_per_s: Number | None,
    read: Number,
    layer_s: Number,
    compute: Number,
    flash_off: Number,
) -> Pace:
    """A pace from shares and factors; the fit and the answer both come by here, the one with columns, the other with numbers.

    `factor` names a cost relative to the share ("read:k": bytes of k-quants, "cache:on": of the cache with flash attention) or a
    share of its own ("mixing:on": of the arithmetic, by attention).
    """
    bandwidth = bytes_per_s * read
    mixing = where(flash_off, factor("mixing:off"), factor("mixing:on"))
    return Pace(
        {kind: bandwidth / factor(f"read:{kind}") for kind in classes} | {"": bandwidth},
        None
        if flops_per_s is None
        else {kind: flops_per_s * compute / factor(f"compute:{kind}") for kind in classes} | {"": flops_per_s * compute},
        bandwidth / where(flash_off, factor("cache:off"), factor("cache:on")),
        None if flops_per_s is None else flops_per_s * mixing,
        layer_s,
        factor("expert_layer"),
        factor("expert_rows"),
    )


@functools.cache
def kinds() -> Mapping[str, str]:
    """Number format -> its class: formats that engines have kernels of one sort for."""
    return dict(data_json("speed_rates.json")["formats"])


def spread(metric: str, nearness: str, experts: bool) -> tuple[float, float]:
    """The 80 % interval around a predicted rate, as factors: what published runs did when they were left out of the fit."""
    rows: dict[str, Any] = data_json("speed_rates.json")["spread"]
    low, high = rows[f"{metric}/{nearness}/{'moe' if experts else 'dense'}"]
    return float(low), float(high)


def _product(numbers: Any) -> float:
    result = 1.0
    for number in numbers:
        result *= number
    return result
