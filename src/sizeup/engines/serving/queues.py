"""Waiting: how long a request stands before the server takes it, from how busy the server is.

The share of requests that wait at all and the mean wait of those are textbook approximations; how long one waits is taken as
exponential. Arrivals and lengths vary as much as their mean (`VARIATION`), which is assumed.
"""

from __future__ import annotations

import math
import sys

from ...figure import Number, is_column, most, step, where

VARIATION = 1.0
"""(squared coefficient of variation of arrivals + that of service times) ÷ 2: 1 for random arrivals of lengths that vary as much."""


@step("wait_share")
def wait_share(busy: Number, places: Number) -> Number:
    """Share of requests that find all of `places` taken when the server is busy to the share `busy` (Sakasegawa 1977)."""
    return most(0, busy) ** ((2 * (places + 1)) ** 0.5 - 1)


@step("wait_mean")
def wait_mean(service_s: Number, busy: Number, places: Number) -> Number:
    """Mean seconds of those that wait: the time until a place is free, over what is left of the server. Grows without bound."""
    return VARIATION * service_s / (places * most(1 - busy, 1e-9))


def wait_s(share: Number, mean_s: Number, quantile: float) -> Number:
    """Seconds that all but `1 - quantile` of the requests wait less than."""
    late = most(share / (1 - quantile), 1.0)
    return mean_s * logarithm(late)


def logarithm(number: Number) -> Number:
    """The natural logarithm of a plain number or of a column."""
    return sys.modules["numpy"].log(number) if is_column(number) else math.log(number)


def unbounded(busy: Number, seconds: Number) -> Number:
    """The seconds, or infinity where more comes than can be served."""
    return where(busy < 1, seconds, math.inf)
