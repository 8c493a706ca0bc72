"""What of a cluster is left when an application has its place: the next one of a plan has to find room beside it. Pure."""

from __future__ import annotations

import dataclasses

from ..errors import Refused
from ..facts import data_json
from .node import Inventory, Node
from .ray_placement import server_cpus
from .serve_llm import Handed
from .serve_plan import Application, room_by


def ingress_cpus() -> float:
    """What Ray Serve LLM asks for once an application, on any node: what hears requests before the servers."""
    return float(data_json("handover.json")["ray_serve_llm"]["ingress_cpus"])


def after_file(found: Inventory, asked: Application) -> Inventory:
    """Without the processors and the memory of its least replicas, each on the node with most room."""
    nodes = {node.name: node for node in found.nodes}
    for _ in range(asked.replicas[0]):
        name = max(asked.nodes, key=lambda name: min(room_by(nodes[name], asked.cores, asked.memory_bytes)))
        nodes[name] = less(nodes[name], cpus=asked.cores, memory_bytes=asked.memory_bytes)
    return dataclasses.replace(found, nodes=tuple(nodes.values()))


def after_checkpoint(found: Inventory, asked: Handed) -> Inventory:
    """Without the cards and processors of its least replicas and of what hears requests. Raises Refused where one finds no node."""
    nodes = {node.name: node for node in found.nodes}
    for _ in range(asked.replicas[0]):
        for number, bundle in enumerate(asked.group.bundles):
            cpus = bundle["CPU"] + (0.0 if number else server_cpus())
            able = [name for name in asked.group.nodes if nodes[name].free_cards >= bundle["GPU"] and nodes[name].free_cpus >= cpus]
            if not able:
                raise no_node(asked)
            # Where it leaves least, so that wider groups still find a node.
            name = min(able, key=lambda name: nodes[name].free_cards)
            nodes[name] = less(nodes[name], int(bundle["GPU"]), cpus)
    name = max(nodes, key=lambda name: nodes[name].free_cpus if nodes[name].state == "ready" else -1.0)
    if nodes[name].free_cpus < ingress_cpus():
        raise no_node(asked)
    nodes[name] = less(nodes[name], cpus=ingress_cpus())
    return dataclasses.replace(found, nodes=tuple(nodes.values()))


def less(node: Node, cards: int = 0, cpus: float = 0.0, memory_bytes: int = 0) -> Node:
    """The node with so much less of it free."""
    pools = tuple(
        dataclasses.replace(pool, free_bytes=max(0, pool.free_bytes - memory_bytes)) if pool.name == "ram" else pool
        for pool in node.machine.pools
    )
    machine = dataclasses.replace(node.machine, pools=pools)
    return dataclasses.replace(node, machine=machine, free_cards=node.free_cards - cards, free_cpus=node.free_cpus - cpus)


def no_node(asked: Handed) -> Refused:
    """Beside what else is to run there."""
    return Refused(
        f"{asked.plan.model.name} finds no processors beside its cards: a replica takes {server_cpus():g} and a part of one a rank, "
        f"and what hears requests takes {ingress_cpus():g}.",
        "sizeup fleet scan for what is free",
    )
