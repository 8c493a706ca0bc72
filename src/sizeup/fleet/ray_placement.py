"""Where the ranks of a model go on a Ray cluster: bundles and a strategy, or why they cannot be had. Pure.

Ray places what it is asked for or waits for ever; and by default it spreads a tensor-parallel group over nodes without a word. So what
cannot be placed is refused here, and a group is asked for in a way that keeps it on one node.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..errors import Refused
from ..facts import data_json
from .node import Inventory, Node
from .ray_node import card

CPUS_A_RANK = 0.25
"""What a rank asks for beside its card: it waits for the card nearly always."""


class Group(NamedTuple):
    """One replica's placement group."""

    bundles: tuple[dict[str, float], ...]
    """One a node's share: Ray never divides a bundle."""
    strategy: str
    """STRICT_PACK: all on one node. PACK: on as few nodes as can be."""
    card: str
    """What Ray calls the cards; "" when any will do."""
    nodes: tuple[str, ...]
    """Nodes that could hold a bundle now."""
    room: int
    """Replicas that the free cards are enough for."""

    def worker_bundles(self) -> list[dict[str, float]]:
        """One bundle a rank, as vLLM wants them under Ray."""
        return [self.one({"GPU": 1.0, "CPU": CPUS_A_RANK}) for bundle in self.bundles for _ in range(int(bundle["GPU"]))]

    def one(self, bundle: dict[str, float]) -> dict[str, float]:
        return {**bundle, **({f"accelerator_type:{self.card}": 0.001} if self.card else {})}


def place(found: Inventory, tensor_parallel: int = 1, pipeline_parallel: int = 1, replicas: int = 1, cards: str = "") -> Group:
    """The placement group of each of `replicas`: tensor-parallel ranks on one node, pipeline stages on as few nodes as can be.

    `cards` is what Ray calls the cards ("H100"); "" takes the kind that most free cards are of. Raises Refused with what binds.
    """
    kinds = {cards} if cards else {kind for node in found.nodes if (kind := named(node))} or {""}
    groups = [group(found.nodes, kind, tensor_parallel, pipeline_parallel) for kind in sorted(kinds)]
    best = max(groups, key=lambda one: one.room)
    if best.room >= replicas:
        return best
    raise short(found, best, tensor_parallel, pipeline_parallel, replicas)


def named(node: Node) -> str:
    """What Ray calls a node's cards; "" where it has none that new work may have."""
    resources = [key for key in node.labels if key.startswith("accelerator_type:")]
    return card(node.labels, dict.fromkeys(resources, 1.0)) if node.state == "ready" and node.free_cards else ""


def ray_card(device: str) -> str:
    """What Ray calls a card of the device table; "" where it has no name that means it."""
    known = data_json("ray_accelerators.json")["devices"]
    exact = [name for name, ours in known.items() if ours == device]
    short = device.split(" ")[0]
    return exact[0] if len(exact) == 1 else short if short in data_json("ray_accelerators.json")["same"] else ""


def server_cpus() -> float:
    """What Ray Serve LLM asks for by itself, in the bundle of a replica's first rank, for the process that hears requests."""
    return float(data_json("handover.json")["ray_serve_llm"]["server_cpus"])


def held(node: Node, ranks: int) -> int:
    """Bundles of so many ranks that a node has cards and processors free for, were each of them the first of a replica."""
    return min(node.free_cards // ranks, int(node.free_cpus / (CPUS_A_RANK * ranks + server_cpus())))


def group(nodes: Sequence[Node], kind: str, tensor: int, pipeline: int) -> Group:
    """For cards of one kind: all on one node where one has enough, else a bundle a stage."""
    having = [node for node in nodes if node.state == "ready" and node.free_cards and (not kind or named(node) == kind)]
    whole = sum(held(node, tensor * pipeline) for node in having)
    stages = sum(held(node, tensor) for node in having) // pipeline
    one_node = whole > 0 and whole >= stages
    share = tensor * pipeline if one_node else tensor
    able = tuple(node.name for node in having if held(node, share))
    made = Group((), "STRICT_PACK" if one_node else "PACK", kind, able, whole if one_node else stages)
    bundle = made.one({"GPU": float(share), "CPU": CPUS_A_RANK * share})
    return made._replace(bundles=(bundle,) * (1 if one_node else pipeline))


def short(found: Inventory, best: Group, tensor: int, pipeline: int, replicas: int) -> Refused:
    """What binds: no node with so many cards, or too few of such nodes."""
    having = [node for node in found.nodes if node.state == "ready" and (not best.card or named(node) == best.card)]
    most = max((node.free_cards for node in having), default=0)
    kind = best.card or "cards"
    if most < tensor:
        narrower = next((width for width in (8, 4, 2, 1) if width <= most and tensor % width == 0), 1)
        longer = tensor * pipeline // narrower
        return Refused(
            f"Tensor parallelism of {tensor} takes {tensor} free cards of one node, and the most that a node has is {most} ({kind}).",
            f"--tensor-parallel {narrower} --pipeline-parallel {longer}"
            if group(having, best.card, narrower, longer).room
            else "sizeup fleet scan for what is free",
        )
    cards = sum(node.free_cards // tensor for node in having) // pipeline
    binds = "processors" if cards > best.room else "cards"
    return Refused(
        f"{replicas} replicas of {tensor} x {pipeline} {kind} do not fit: free {binds} are enough for {best.room}.",
        f"--replicas {best.room}" if best.room else "sizeup fleet scan for what is free",
    )
