"""A plan for a cluster as JSON: who serves what and where, what binds, what would change it, what a lost node does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NotRequired, TypedDict

from ..fleet.placing import FleetPlan
from .fleet_layout import RejectedJson, ReplicasJson, rejected_json, replicas_json

if TYPE_CHECKING:
    from ..fleet.answer import FleetAnswer
    from ..fleet.artefacts import Emitted


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
