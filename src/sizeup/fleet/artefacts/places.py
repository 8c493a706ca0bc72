"""Which nodes of an inventory have room for replicas, and how a file asks for such nodes."""

from __future__ import annotations

from ...errors import Refused
from ...plan import Plan
from ...units import show_bytes
from ..node import Inventory, Node

SAME_SIZE = 0.97
"""A round figure of a name (80 GB) and what the driver keeps of it are one size."""


def node_for(inventory: Inventory | None, plan: Plan, share: int, count: int, memory: int) -> Node | None:
    """The first node of a kind of which enough are free; None without an inventory. Raises Refused with what is missing.

    Free are cards with as much memory as the plan's, and host memory beside them.
    """
    if inventory is None:
        return None
    least = min((pool.bytes for device in plan.machine.devices if (pool := plan.machine.pool(device.pool))), default=0)
    shares = {node.name: _shares(node, share, least, memory) for node in inventory.nodes}
    room: dict[tuple[str, str], int] = {}
    for node in inventory.nodes:
        room[_alike(node)] = room.get(_alike(node), 0) + shares[node.name]
    fitting = [node for node in inventory.nodes if shares[node.name] and room[_alike(node)] >= count]
    if not fitting:
        most = max(room.values(), default=0)
        raise Refused(
            f"{count} times {share} free cards of one kind are asked for, as large as the plan's and with {show_bytes(memory)} of host memory, "
            f"and {inventory.address or inventory.system} has room for {most}.",
            "fewer --replicas, or sizeup fleet scan for what is free",
        )
    return fitting[0]


def _shares(node: Node, share: int, least: int, memory: int) -> int:
    """How often a node has so many free cards of so many bytes, and so much free host memory."""
    box = node.free()
    # A round figure of a name (80 GB) and what the driver keeps of it are one size.
    cards = sum(1 for device in box.devices if (pool := box.pool(device.pool)) and pool.bytes >= SAME_SIZE * least)
    ram = box.pool("ram") or box.pool("unified")
    by_memory = ram.free_bytes // memory if ram else 0
    return min(cards // share, by_memory) if share else by_memory


def _alike(node: Node) -> tuple[str, str]:
    return node.resource, node.machine.devices[0].name if node.machine.devices else ""


def selector(node: Node | None) -> dict[str, str]:
    """Labels that only nodes with such cards have."""
    if node is None:
        return {}
    keys = (
        "nvidia.com/gpu.product",
        "amd.com/gpu.product-name",
        "gpu.intel.com/product",
        "cloud.google.com/gke-accelerator",
        "node.kubernetes.io/instance-type",
    )
    return {key: node.labels[key] for key in keys[: 1 if "nvidia.com/gpu.product" in node.labels else None] if key in node.labels}


def toleration(taint: str) -> dict[str, str]:
    """What tolerates key=value:Effect."""
    what, _, effect = taint.rpartition(":")
    key, sign, value = what.partition("=")
    return {"key": key, **({"operator": "Equal", "value": value} if sign else {"operator": "Exists"}), "effect": effect}
