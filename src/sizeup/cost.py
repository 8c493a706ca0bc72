"""Time, money and energy of a training run: FLOPs over what the devices reach.

    device hours = FLOPs ÷ (peak FLOPs per second × MFU × 3600)

Everything else follows from the device hours. The interval is that of MFU; prices add theirs, the design power adds none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .facts import Source
from .figure import Number, step
from .interval import Interval
from .prices import price


@step("device_hours")
def device_hours(flops: Number, flops_per_s: Number, mfu: Number) -> Number:
    """Hours of one device for these model FLOPs."""
    return flops / (flops_per_s * mfu * 3600)


@step("trained_tokens")
def trained_tokens(devices: Number, flops_per_s: Number, mfu: Number, flops_per_token: Number) -> Number:
    """Tokens a second that the devices learn from together."""
    return devices * flops_per_s * mfu / flops_per_token


@dataclass(frozen=True, slots=True)
class Fleet:
    """Equal devices that train together."""

    device: str
    devices: int | None
    """None when their number is what is asked for."""
    flops_per_s: float
    """Dense 16-bit rate of one with 32-bit sums."""
    watts: float | None
    mfu: Interval
    source: Source
    """Of the rate."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What some FLOPs take on a fleet."""

    flops: float
    """Model FLOPs with recomputation."""
    device_hours: Interval
    days: Interval | None
    """None without a number of devices."""
    tokens_per_s: Interval | None
    devices_needed: Interval
    """For the days that were wanted."""
    wanted_days: float
    usd: Interval | None
    """None when nobody offered such a device."""
    usd_per_device_hour: Interval | None
    kwh: Interval | None
    """Of the devices alone at their design power, without hosts, network and cooling; None when the power is unknown."""


def cost(flops: float, flops_per_token: float, fleet: Fleet, wanted_days: float) -> Cost:
    """Hours, days, money and energy of model FLOPs on a fleet."""
    low, middle, high = (
        float(device_hours(flops, fleet.flops_per_s, share)) for share in (fleet.mfu.high, fleet.mfu.middle, fleet.mfu.low)
    )
    hours = Interval(low, middle, high, fleet.mfu.source)
    rate = price(fleet.device)
    needed = hours.times(1 / (24 * wanted_days))
    speed = days = None
    if fleet.devices:
        speed = fleet.mfu.times(float(trained_tokens(fleet.devices, fleet.flops_per_s, 1, flops_per_token)))
        days = hours.times(1 / (24 * fleet.devices))
    return Cost(
        flops,
        hours,
        days,
        speed,
        Interval(math.ceil(needed.low), math.ceil(needed.middle), math.ceil(needed.high), needed.source),
        wanted_days,
        None if rate is None else hours.by(rate),
        rate,
        None if fleet.watts is None else hours.times(fleet.watts / 1000),
    )
