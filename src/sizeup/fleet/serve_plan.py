"""A model file as an application of Ray Serve: what one replica asks of a node, which nodes can run it, and how many fit. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import search
from ..engines.llamacpp.run import job
from ..errors import NotFound, Refused, Unavailable, UserError
from ..model import ModelSpec
from ..plan import Plan
from ..units import show_bytes
from .node import Inventory, Node
from .start import start

REPLICA_BYTES = 256 * 2**20
"""What Ray's own process of a replica holds beside the engine's: 210 to 218 MiB resident were measured
with Ray 2.60 after a hundred requests, of which 120 are its own (docs/fleet.md)."""

PREFIX = "sizeup-"
"""What our applications' names begin with, so that others' are never touched."""

DRAIN_S = 600.0
"""How long requests that are being answered may take to end when a replica goes."""
DRAIN_LOOP_S = 1.0
"""How often Ray looks whether they have."""


@dataclass(frozen=True, slots=True)
class Application:
    """What Ray Serve is asked for."""

    name: str
    model: str
    job: dict[str, Any]
    """What a replica starts the engine with."""
    replicas: tuple[int, int]
    """Least and most; equal when nothing is to scale."""
    cores: int
    memory_bytes: int
    """Of one replica: the plan's bytes at the upper end of their band, and Ray's own process."""
    sequences: int
    """Requests that one replica answers at the same time."""
    nodes: tuple[str, ...]
    """Names of the nodes that can run it."""
    left_out: Mapping[str, str]
    """Node name -> why it cannot."""
    selector: Mapping[str, str]
    """Labels that a node must have; empty when every node can run it."""
    drain_s: float
    room: int
    """Replicas for which there is room now."""
    start_s: int
    """How long a start may take."""


def application(
    model: ModelSpec,
    found: Inventory,
    files: Mapping[str, int],
    *,
    replicas: tuple[int, int] = (1, 1),
    cores: int | None = None,
    name: str | None = None,
    drain_s: float = DRAIN_S,
    quant: str | None = None,
    context_tokens: int | None = None,
    **settings: Any,
) -> Application:
    """The application that serves `model`, a GGUF file, on the processors of a cluster's nodes; `files` is its size on each, -1 without it.

    Raises NotFound without a file here, Unavailable where no node can run it, Refused where there is no room, with what is short.
    """
    if not model.path or model.stored != "gguf":
        raise NotFound(f"{model.name} is no GGUF file here.", "sizeup pull, then sizeup fleet up FILE.gguf")
    whole = sum(tensor.bytes for tensor in model.tensors)
    left_out = {node.name: why for node in found.nodes if (why := unable(node, files.get(node.name, -1), whole))}
    able = [node for node in found.nodes if node.name not in left_out]
    if not able:
        raise Unavailable(f"No node of the cluster can run it: {counted(left_out)}.", "sizeup with its engine and the same file on a node")
    plans = [plan_on(node, model, quant, context_tokens, settings) for node in able]
    needed = max(plan.breakdown.needed_bytes("ram") for plan in plans) + REPLICA_BYTES
    chosen = cores or max(1, min(min(job(plan)["threads"] for plan in plans), int(max(node.free_cpus for node in able))))
    room = sum(min(room_by(node, chosen, needed)) for node in able)
    if room < replicas[0]:
        raise short(model.name, able, replicas[0], chosen, needed)
    return Application(
        PREFIX + slug(name or model.name),
        name or model.name,
        {**job(plans[0]), "threads": chosen, "name": name or model.name},
        replicas,
        chosen,
        needed,
        plans[0].settings.sequences,
        tuple(node.name for node in able),
        left_out,
        {"ray.io/node-id": f"in({','.join(node.labels['ray.io/node-id'] for node in able)})"} if left_out else {},
        drain_s,
        room,
        max(start(plan, 1).seconds for plan in plans),
    )


def unable(node: Node, file_bytes: int, whole: int) -> str:
    """Why a node cannot run the embedded engine on this file; "" when it can."""
    if node.state != "ready":
        return f"is {node.state}"
    for package in ("sizeup", "xllamacpp"):
        if package not in node.software:
            return f"has no {package}"
    if file_bytes < 0:
        return "lacks the file"
    return "has another file there" if file_bytes < whole else ""


def counted(left_out: Mapping[str, str]) -> str:
    """Reasons, each with the nodes of which it is true counted."""
    reasons = list(left_out.values())
    return ", ".join(f"{reasons.count(why)} {why}" for why in dict.fromkeys(reasons)) or "it has none"


def plan_on(node: Node, model: ModelSpec, quant: str | None, context_tokens: int | None, settings: Mapping[str, Any]) -> Plan:
    """The plan for this node's processor and host memory; its cards are left to engines that use them."""
    box = node.machine
    kept = tuple(pool for pool in box.pools if pool.name == "ram")
    host = dataclasses.replace(box, devices=(), links=(), pools=kept)
    # Another gpu_layers than 0 has no card to be on here.
    return search.fit(model, host, engine="llama.cpp", quant=quant, context_tokens=context_tokens, **{**settings, "gpu_layers": 0})[0]


def free_ram(node: Node) -> int:
    pool = node.machine.pool("ram")
    return pool.free_bytes if pool is not None else 0


def room_by(node: Node, cores: int, memory_bytes: int) -> tuple[int, int]:
    """Replicas for which a node has processors free, and for which it has memory."""
    return max(0, int(node.free_cpus // cores)), max(0, free_ram(node) // memory_bytes)


def short(model: str, able: list[Node], asked: int, cores: int, memory_bytes: int) -> Refused:
    """Why there is no room: what each takes, what is free, and which of the two binds."""
    room = sum(min(room_by(node, cores, memory_bytes)) for node in able)
    by_cores, by_memory = map(sum, zip(*(room_by(node, cores, memory_bytes) for node in able), strict=True))
    binds = "processors" if by_cores <= by_memory else "memory"
    free = f"{sum(node.free_cpus for node in able):g}" if binds == "processors" else show_bytes(sum(map(free_ram, able)))
    each = f"{cores}" if binds == "processors" else show_bytes(memory_bytes)
    return Refused(
        f"{asked} replicas of {model} do not fit: there is room for {room}, and {binds} bind: each takes {each}, {free} are free on "
        f"{len(able)} nodes, and a replica is never split.",
        f"--replicas {room}" if room else "fewer --cores, a shorter --context or a smaller model",
    )


def replicas(text: str) -> tuple[int, int]:
    """Least and most of "3" or "1-4". Raises UserError."""
    found = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", text.strip())
    least, most = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= least <= most:
        raise UserError(f"“{text}” is no number of replicas.", "--replicas 2, or --replicas 1-4 to let Ray scale")
    return least, most


def slug(name: str) -> str:
    """A name as part of an address: letters, digits, dots and dashes."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "model"
