"""A node of a Kubernetes cluster from its object and what its pods were granted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..facts import Source
from .cards import Card, host
from .kubernetes_cards import Offered, offered
from .kubernetes_pods import quantity
from .node import Node, State

KEPT = (
    "nvidia.com/", "amd.com/", "gpu.intel.com/", "topology.kubernetes.io/", "kubernetes.io/hostname", "kubernetes.io/arch",
    "node.kubernetes.io/instance-type", "cloud.google.com/gke-", "karpenter.sh/", "eks.amazonaws.com/nodegroup", "kubernetes.azure.com/agentpool",
)  # fmt: skip
"""Labels that a placement can ask by; the many others of a node are left out."""
GROUPS = ("eks.amazonaws.com/nodegroup", "cloud.google.com/gke-nodepool", "kubernetes.azure.com/agentpool", "karpenter.sh/nodepool")


def node(found: Mapping[str, Any], granted: Mapping[str, Decimal] | None, date: str) -> Node:
    """The node; `granted` None says that nobody may know what its pods asked for."""
    meta, spec, status = (found.get(part) or {} for part in ("metadata", "spec", "status"))
    name, labels = str(meta["name"]), {str(key): str(value) for key, value in (meta.get("labels") or {}).items()}
    # A counted resource is whole; what is bad in an object of somebody else is as if it were not there.
    room = {str(key): quantity(value) for key, value in (status.get("allocatable") or {}).items()}
    taken = granted or {}
    counts = {key: int(value) for key, value in room.items() if "/" in key}
    cards, kinds, warnings = _cards(offered(labels, counts, date), taken)
    free = sum(kind_free for _, kind_free in kinds)
    seen, pods = Source("read", f"Kubernetes node {name}", date), Source("read", "allocatable less the requests of its pods", date)
    if granted is None:
        pods = Source("assumed", "all that is allocatable: the pods may not be listed", date)
    cpus = room.get("cpu", Decimal(0))
    memory = int(quantity((status.get("capacity") or {}).get("memory", "0")))
    left = int(room.get("memory", Decimal(0)) - taken.get("memory", Decimal(0)))
    machine = host(name, memory, left, float(cpus), cards, seen, str((status.get("nodeInfo") or {}).get("architecture", "")))
    state, why = _state(spec, status)
    evidence = [("state", seen), ("machine", seen), ("free_cpus", pods), ("free_bytes", pods)]
    if cards:
        evidence += [("free_cards", pods), ("cards", cards[0].source)]
    if machine.links:
        evidence.append(("links", machine.links[0].source))
    return Node(
        name,
        machine,
        state,
        free,
        max(0.0, float(cpus - taken.get("cpu", Decimal(0)))),
        kinds[0][0].resource if kinds else "",
        {key: value for key, value in labels.items() if key.startswith(KEPT)},
        tuple(_taint(taint) for taint in spec.get("taints") or ()),
        tuple(labels[key] for key in GROUPS if key in labels),
        evidence=tuple(evidence),
        warnings=(*why, *warnings, *machine.warnings),
    )


def _cards(found: list[Offered], taken: Mapping[str, Decimal]) -> tuple[list[Card], list[tuple[Offered, int]], list[str]]:
    """The cards, free ones first, those with most memory before; each kind with how many of it are free; what is to say of them."""
    kinds = sorted(((one, _free(one, taken)) for one in found), key=lambda kind: -kind[0].card.memory_bytes * kind[0].cards)
    warnings = []
    if len(kinds) > 1:
        names = ", ".join(f"{one.resource} {free}/{one.cards}" for one, free in kinds)
        warnings.append(f"Its cards are asked for by several names, the first one here: {names}.")
    for one, _ in kinds:
        if one.shared_by > 1:
            warnings.append(f"Up to {one.shared_by} pods share each card's memory, and nothing keeps them apart.")
    free = [one.card for one, count in kinds for _ in range(count)]
    rest = [one.card for one, count in kinds for _ in range(one.cards - count)]
    return [*free, *rest], kinds, warnings


def _free(one: Offered, taken: Mapping[str, Decimal]) -> int:
    """Cards that no pod asked for; of a shared card every share must be free."""
    return max(0, one.cards - -(-int(taken.get(one.resource, Decimal(0))) // one.shared_by))


def _state(spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[State, list[str]]:
    conditions = {str(row.get("type")): row for row in status.get("conditions") or ()}
    ready = str(conditions.get("Ready", {}).get("status", "Unknown"))
    pressed = [
        f"The node reports {kind}."
        for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")
        if conditions.get(kind, {}).get("status") == "True"
    ]
    if ready == "True":
        return ("closed" if spec.get("unschedulable") else "ready"), pressed
    why = str(conditions.get("Ready", {}).get("reason", ""))
    return ("unknown" if ready == "Unknown" else "down"), [f"The node is not ready ({why}).".replace(" ()", ""), *pressed]


def _taint(taint: Mapping[str, Any]) -> str:
    """As kubectl writes it: key=value:Effect."""
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint.get('key', '')}{value}:{taint.get('effect', '')}"
