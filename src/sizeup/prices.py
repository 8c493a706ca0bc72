"""What an hour of a device costs, as dated facts: data/cloud_prices.csv. A device that nobody offered then has no price."""

from __future__ import annotations

import csv
import functools
import io
import statistics
from typing import NamedTuple

from .facts import Source, data_bytes
from .interval import Interval


class Price(NamedTuple):
    """One offer on one day, in US dollars for an hour of one device, with its share of the host."""

    provider: str
    instance: str
    device: str
    """Its name in the device table."""
    devices: int
    usd_per_device_hour: float | None
    """On demand; None where only spot was offered."""
    spot_usd_per_device_hour: float | None
    region: str
    grade: str
    source: Source


@functools.cache
def prices() -> tuple[Price, ...]:
    """Every offer that was seen."""
    return tuple(
        Price(
            row["provider"],
            row["instance"],
            row["device"],
            int(row["devices"]),
            float(row["usd_per_device_hour"]) if row["usd_per_device_hour"] else None,
            float(row["spot_usd_per_device_hour"]) if row["spot_usd_per_device_hour"] else None,
            row["region"],
            row["grade"],
            Source("published", f"{row['provider']}: {row['source']}", row["date"]),
        )
        for row in csv.DictReader(io.StringIO(data_bytes("cloud_prices.csv").decode()))
    )


def price(device: str) -> Interval | None:
    """US dollars for an hour of one device on demand: the cheapest, the median and the dearest offer; None when there is none."""
    found = [offer for offer in prices() if offer.device == device and offer.usd_per_device_hour]
    if not found:
        return None
    each = sorted(found, key=lambda offer: offer.usd_per_device_hour or 0)
    rates = [offer.usd_per_device_hour or 0.0 for offer in each]
    first, last = min(offer.source.date[:4] for offer in found), max(offer.source.date[-4:] for offer in found)
    where = f"{len(found)} offers, {each[0].provider} to {each[-1].provider}, data/cloud_prices.csv"
    source = Source("published", where, first if first == last else f"{first}-{last}")
    return Interval(rates[0], statistics.median(rates), rates[-1], source)
