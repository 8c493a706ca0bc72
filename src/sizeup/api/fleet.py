"""A cluster as JSON: its nodes, what is free of them, and where every field is known from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from ..facts import Source
from ..fleet.node import Inventory, Node, State, System
from ..hardware import Machine
from ..shape import as_json

if TYPE_CHECKING:
    from ..fleet.serve_llm import Handed
    from ..fleet.serve_plan import Application
    from ..fleet.serve_told import Served


class NodeJson(TypedDict):
    """One machine of a cluster; `cards` counts all, `free_cards` those that nobody was granted."""

    name: str
    state: State
    cards: int
    free_cards: int
    free_cpus: float
    resource: str
    labels: dict[str, str]
    taints: list[str]
    groups: list[str]
    shared: bool
    network: str
    software: dict[str, str]
    warnings: list[str]
    evidence: dict[str, Source]
    machine: Machine


class InventoryJson(TypedDict):
    """A cluster as it was seen at `date`."""

    system: System
    address: str
    date: str
    version: str
    warnings: list[str]
    nodes: list[NodeJson]


def inventory_json(found: Inventory) -> InventoryJson:
    """What `fleet scan` prints and keeps; `fleet.saved.load` reads it back."""
    return {
        "system": found.system,
        "address": found.address,
        "date": found.date,
        "version": found.version,
        "warnings": list(found.warnings),
        "nodes": [_node(node) for node in found.nodes],
    }


def _node(node: Node) -> NodeJson:
    return {
        "name": node.name,
        "state": node.state,
        "cards": node.cards,
        "free_cards": node.free_cards,
        "free_cpus": node.free_cpus,
        "resource": node.resource,
        "labels": dict(node.labels),
        "taints": list(node.taints),
        "groups": list(node.groups),
        "shared": node.shared,
        "network": node.network,
        "software": dict(node.software),
        "warnings": list(node.warnings),
        "evidence": {field: as_json(source) for field, source in node.evidence},
        "machine": as_json(node.machine),
    }


class ServedJson(TypedDict):
    """An application on a cluster. `replicas` counts them by Ray's word for their state."""

    name: str
    model: str
    state: str
    address: str
    replicas: dict[str, int]
    nodes: list[str]
    message: str


class StartedJson(ServedJson):
    """The same as it was started; `room` is for how many replicas there was room."""

    room: int
    warnings: list[str]


class StartedOnProcessorsJson(StartedJson):
    """What one replica asks of a node, and which nodes cannot run one."""

    cores: int
    memory_bytes: int
    left_out: dict[str, str]


class StartedOnCardsJson(StartedJson):
    """What Ray Serve LLM was told; `card_bytes` is what a rank takes of its card."""

    config: dict[str, Any]
    card_bytes: int


def served_json(one: Served) -> ServedJson:
    """What `fleet status` tells of one application."""
    return {
        "name": one.name,
        "model": one.model,
        "state": one.state,
        "address": one.address,
        "replicas": one.replicas,
        "nodes": list(one.nodes),
        "message": one.message,
    }


def started_json(one: Served, asked: Application | Handed, warnings: Sequence[str]) -> StartedJson:
    """What `fleet up` tells of what it started."""
    from ..fleet.serve_llm import Handed

    if isinstance(asked, Handed):
        on_cards: StartedOnCardsJson = {
            **served_json(one),
            "model": asked.name,
            "room": asked.group.room,
            "warnings": [*asked.warnings, *warnings],
            "config": asked.config,
            "card_bytes": asked.card_bytes,
        }
        return on_cards
    on_processors: StartedOnProcessorsJson = {
        **served_json(one),
        "room": asked.room,
        "warnings": list(warnings),
        "cores": asked.cores,
        "memory_bytes": asked.memory_bytes,
        "left_out": dict(asked.left_out),
    }
    return on_processors
