"""A plan for a cluster as JSON: who serves what and where, what binds, what would change it, what a lost node does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NotRequired, TypedDict

from ..fleet.layout import Layout, Rejected, number_format
from ..fleet.paced import Under
from ..fleet.placing import FleetPlan, Placed
from ..fleet.ways import Part
from ..plan import ServingBreakdown

if TYPE_CHECKING:
    from ..fleet.answer import FleetAnswer
    from ..fleet.artefacts import Emitted


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


class TargetJson(TypedDict):
    """What is asked for of one model, and what serves it; empty where it has no place."""

    model: str
    users: float | None
    requests_per_s: float | None
    prompt_tokens: int
    answer_tokens: int
    longest_request_tokens: int
    first_token_goal_s: float
    between_tokens_goal_s: float
    utilisation: float | None
    served_by: list[ReplicasJson]
    rejected: list[RejectedJson]


class RejectedJson(TypedDict):
    """A way that does not do. `value` is bytes that a rank would need, or seconds of one request alone."""

    on: str
    engine: str
    quant: str
    split: SplitJson
    why: str
    told: str
    value: float


class CostJson(TypedDict):
    """Of all that is placed; dollars are null where a card has no known price, and nodes without cards are never in them."""

    usd_per_hour: float | None
    cards: int
    nodes_without_cards: int
    replicas: int


class BindingJson(TypedDict):
    """One limit and how much of it is used."""

    what: str
    model: str
    on: str
    value: float
    limit: float
    share: float


class ChangeJson(TypedDict):
    """One change and what the plan costs with it."""

    kind: str
    models: list[str]
    value: str | float
    what: str
    cost: CostJson


class LeftJson(TypedDict):
    """What a model loses."""

    model: str
    replicas_lost: int
    capacity_left: float
    goals_hold: bool


class LostJson(TypedDict):
    """Nodes of which any one may be lost."""

    nodes: list[str]
    models: list[LeftJson]
    room_elsewhere: bool


class FleetPlanJson(TypedDict):
    """A plan, or what is missing."""

    possible: bool
    cluster: str
    availability: str
    free_cards: int
    searched_all: bool
    cost: CostJson
    targets: list[TargetJson]
    binding: list[BindingJson]
    changes: list[ChangeJson]
    lost_node: list[LostJson]
    cost_of_sparing_a_node: CostJson | None
    """Null where a node is spared already, or cannot be."""
    files: NotRequired[list[FolderJson]]
    """What was asked for with `emit`; empty where the load does not fit."""


class FolderJson(TypedDict):
    """What runs the replicas of one model: text by the file's name, and what is typed beside them."""

    folder: str
    run: str
    files: dict[str, str]


def fleet_plan_json(answer: FleetAnswer, files: Mapping[str, Emitted] | None = None) -> FleetPlanJson:
    """All of it, with the files that were asked for."""
    plan, binds, changes, losses, secure = answer
    placed = {id(one.target): one for one in plan.placed}
    told: FleetPlanJson = {
        "possible": plan.possible,
        "cluster": plan.inventory.address,
        "availability": "1-node" if plan.spare else "none",
        "free_cards": plan.free_cards,
        "searched_all": not plan.cut,
        "cost": cost_json(plan),
        "targets": [
            {
                "model": target.model.name,
                "users": target.users,
                "requests_per_s": target.requests_per_s,
                "prompt_tokens": target.prompt_tokens,
                "answer_tokens": target.answer_tokens,
                "longest_request_tokens": target.length,
                "first_token_goal_s": target.first_token_s,
                "between_tokens_goal_s": target.token_s,
                "utilisation": one.share if (one := placed.get(id(target))) else None,
                "served_by": [replicas_json(one, number) for number in range(len(one.way.parts))] if one else [],
                "rejected": [rejected_json(other) for other in rejected],
            }
            for target, rejected in zip(plan.targets, plan.rejected, strict=True)
        ],
        "binding": [{**limit._asdict(), "share": limit.share} for limit in binds],  # type: ignore[typeddict-item]
        "changes": [
            {"kind": one.kind, "models": list(one.models), "value": one.value, "what": one.what, "cost": cost_json(one.plan)}
            for one in changes
        ],
        "lost_node": [
            {
                "nodes": list(one.nodes),
                "models": [
                    {
                        "model": left.placed.target.model.name,
                        "replicas_lost": left.lost,
                        "capacity_left": left.share,
                        "goals_hold": left.holds,
                    }
                    for left in one.left
                ],
                "room_elsewhere": one.again,
            }
            for one in losses
        ],
        "cost_of_sparing_a_node": cost_json(secure) if secure is not None and secure.possible else None,
    }
    if files is not None:
        told["files"] = [{"folder": folder, "run": one.run, "files": dict(one.files)} for folder, one in files.items()]
    return told


def cost_json(plan: FleetPlan) -> CostJson:
    """What a plan takes."""
    cost = plan.cost
    usd = cost.usd_per_hour if plan.priced and cost.cards else None
    return {"usd_per_hour": usd, "cards": cost.cards, "nodes_without_cards": cost.nodes, "replicas": cost.replicas}


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
