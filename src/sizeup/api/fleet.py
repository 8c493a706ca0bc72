"""A cluster as JSON: its nodes, what is free of them, and where every field is known from."""

from __future__ import annotations

from typing import TypedDict

from ..facts import Source
from ..fleet.node import Inventory, Node, State, System
from ..hardware import Machine
from ..shape import as_json


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
        "software": dict(node.software),
        "warnings": list(node.warnings),
        "evidence": {field: as_json(source) for field, source in node.evidence},
        "machine": as_json(node.machine),
    }
