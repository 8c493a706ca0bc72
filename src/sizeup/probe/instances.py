"""Machines that one rents or buys whole, by their name: data/instances.csv says which part of the device table they hold, and how much memory.

What a service rents out under a name of its own (SageMaker's ml.g5.xlarge) is a row of data/instances_alike.csv.
"""

from __future__ import annotations

import csv
import functools
import re
from typing import NamedTuple

from sizeup.facts import Source, data_bytes


class Instance(NamedTuple):
    """One row: a cloud's instance type, a notebook service, a Mac, a handheld."""

    name: str
    device: str
    """A row of the device table; "" for none."""
    cards: int
    linked: bool
    """Whether the cards are joined by NVLink."""
    memory_bytes: int
    """Of the host, or of what a chip shares; 0 where the device's own row says it."""
    threads: int
    """vCPUs; 0 when the processor is the chip's own."""
    system: str
    source: Source


def plain(name: str) -> str:
    """A name as people vary it: "Standard_NC24ads_A100_v4" and "standard nc24ads a100 v4" are one."""
    return re.sub(r"[^a-z0-9+]", "", name.lower())


@functools.cache
def instances() -> dict[str, Instance]:
    """Every row by its plain names."""
    found: dict[str, Instance] = {}
    for row in csv.DictReader(data_bytes("instances.csv").decode().splitlines()):
        one = Instance(
            row["name"],
            row["device"],
            int(row["count"]),
            bool(row["nvlink"]),
            round(float(row["memory_GiB"] or 0) * 2**30),
            int(row["vcpus"] or 0),
            row["system"],
            # What nobody publishes is a stated guess.
            Source("assumed" if row["source"].startswith("assumed") else "published", row["source"], row["date"]),
        )
        for name in (row["name"], *row["aliases"].split(";")):
            found.setdefault(plain(name), one)
    found.pop("", None)
    for row in csv.DictReader(data_bytes("instances_alike.csv").decode().splitlines()):
        one = found[plain(row["same_hardware_as"])]
        source = Source("published", f"{row['source']}; {one.source.where}", row["date"])
        found[plain(row["name"])] = one._replace(name=row["name"], source=source)
    return found
