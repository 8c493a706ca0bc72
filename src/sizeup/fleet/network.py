"""The network between nodes: what a step of a replica waits for that has pipeline stages on several of them."""

from __future__ import annotations

from typing import NamedTuple

from ..engines.serving.load import Between
from ..errors import UserError, close_names
from ..facts import data_json
from .target import FACTS

NETWORKS = "networks.json"


class Crossing(NamedTuple):
    """What all crossings of a step add, at the least, likely and at the most."""

    least: Between
    likely: Between
    most: Between


def known(name: str) -> str:
    """The name itself. Raises UserError for a network that is not in the table."""
    networks = data_json(NETWORKS)["networks"]
    if name not in networks:
        raise UserError(f"No network is called “{name}” here.", ", ".join(close_names(name, networks, 1) or networks))
    return name


def slowest(names: set[str]) -> str:
    """Of networks by their names; "" where one is not known."""
    return "" if "" in names else min(names, key=_rate, default="")


def crossing(network: str, count: int, hidden: int) -> Crossing | None:
    """Of so many boundaries between nodes, for a model of this width; None within one node and where the network is not known."""
    if not count or not network:
        return None
    facts = data_json(NETWORKS)
    handed = data_json(FACTS)["handed_on"]
    bytes = int(handed["values"]) * int(handed["value_bytes"]) * hidden
    # One way is half of there and back.
    least, likely, most = (facts["round_trip_s"][end] / 2 for end in ("low", "middle", "high"))
    rate = _rate(network)
    slow = rate * facts["reached_low"]["share"]
    return Crossing(Between(count, least, bytes / rate), Between(count, likely, bytes / rate), Between(count, most, bytes / slow))


def _rate(network: str) -> float:
    return float(data_json(NETWORKS)["networks"][network]["bits_per_s"]) / 8
