"""How a model is served, as JSON: its replicas, their split and times, and the ways that do not do."""

from __future__ import annotations

from typing import TypedDict

from ..fleet.layout import Layout, Rejected, number_format
from ..fleet.paced import Under
from ..fleet.placing import Placed
from ..fleet.ways import Part
from ..plan import ServingBreakdown


class SplitJson(TypedDict):
    """How one replica is shared out."""

    tensor_parallel: int
    pipeline_parallel: int
    expert_parallel: int
    nodes: int


class UnderJson(TypedDict):
    """A replica under its share of the load, likely and in an interval."""

    between_tokens_s: float
    between_tokens_least_s: float
    between_tokens_most_s: float
    first_token_alone_s: float
    first_token_p50_s: float
    first_token_p90_s: float
    first_token_least_s: float
    first_token_most_s: float
    batch: float
    busy: float


class BetweenJson(TypedDict):
    """The network between pipeline stages on different nodes, and what a step of one token waits for it; null where it is not known and
    not in the times."""

    network: str | None
    crossings: int
    token_s: float | None
    token_least_s: float | None
    token_most_s: float | None


class ReplicasJson(TypedDict):
    """Alike replicas of a model. `rank_bytes` is one entry a rank (or pool of a host), by part. `command` starts one of them by itself,
    `ray_command` all of them on a Ray cluster ("" where `fleet up` does not serve it)."""

    on: str
    engine: str
    quant: str
    split: SplitJson
    replicas: int
    cards: int
    places: int
    max_concurrency: float | None
    capacity_each: float
    load_each: float
    usd_per_hour: float | None
    rank_bytes: list[dict[str, int]]
    host_bytes: int
    command: str
    ray_command: str
    under: UnderJson
    between_nodes: BetweenJson | None
    """Null within one node."""
    nodes: list[list[str]]


class RejectedJson(TypedDict):
    """A way that does not do. `value` is bytes that a rank would need, or seconds of one request alone."""

    on: str
    engine: str
    quant: str
    split: SplitJson
    why: str
    told: str
    value: float


def replicas_json(placed: Placed, number: int) -> ReplicasJson:
    """One part of what serves a target."""
    part: Part = placed.way.parts[number]
    layout: Layout = part.layout
    breakdown = layout.breakdown
    return {
        "on": layout.on.name,
        "engine": layout.engine,
        "quant": number_format(placed.target, layout),
        "split": split_json(layout),
        "replicas": part.replicas,
        "cards": part.replicas * layout.cards,
        "places": layout.paced.places,
        "max_concurrency": breakdown.max_concurrency if isinstance(breakdown, ServingBreakdown) else None,
        "capacity_each": layout.capacity,
        "load_each": placed.load_each(part),
        "usd_per_hour": None if layout.usd_per_hour is None else layout.usd_per_hour * part.replicas,
        "rank_bytes": layout.rank_bytes(),
        "host_bytes": layout.ram_bytes,
        "command": layout.command(placed.target),
        "ray_command": layout.ray_command(placed.target, part.replicas),
        "under": under_json(layout, placed.under(part)),
        "between_nodes": between_json(layout),
        "nodes": [list(seat) for seat in placed.seats[number]],
    }


def split_json(layout: Layout | Rejected) -> SplitJson:
    """Ranks, stages, and how many ranks whole experts are shared among (1: each has a part of all)."""
    split = layout.split
    return {
        "tensor_parallel": split.tensor_parallel,
        "pipeline_parallel": split.pipeline_parallel,
        "expert_parallel": split.tensor_parallel if split.expert_parallel else 1,
        "nodes": split.nodes,
    }


def between_json(layout: Layout) -> BetweenJson | None:
    """What lies between the nodes of a replica."""
    count, over = layout.split.nodes - 1, layout.paced.over
    if not count:
        return None
    least, likely, most = (None, None, None) if over is None else (float(one.seconds(1)) for one in over)
    return {
        "network": layout.on.network or None,
        "crossings": count,
        "token_s": likely,
        "token_least_s": least,
        "token_most_s": most,
    }


def under_json(layout: Layout, now: Under) -> UnderJson:
    """Likely times and their intervals."""
    low, high = layout.paced.band()
    return {
        "between_tokens_s": now.token_s,
        "between_tokens_least_s": now.token_s * low,
        "between_tokens_most_s": now.token_s * high,
        "first_token_alone_s": now.first_alone_s,
        "first_token_p50_s": now.first_p50_s,
        "first_token_p90_s": now.first_p90_s,
        "first_token_least_s": now.first_least_s,
        "first_token_most_s": now.first_most_s,
        "batch": now.batch,
        "busy": now.busy,
    }


def rejected_json(one: Rejected) -> RejectedJson:
    """A way with its reason."""
    return {
        "on": one.on,
        "engine": one.engine,
        "quant": one.quant,
        "split": split_json(one),
        "why": one.why,
        "told": one.told,
        "value": one.value,
    }
