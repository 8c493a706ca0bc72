"""A checkpoint on cards of a Ray cluster: what Ray Serve LLM is told, as the configuration that `serve deploy` takes. Pure; nothing is started."""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from .. import search
from ..errors import Refused, UserError
from ..hardware import Device, Machine, Pool
from ..model import ModelSpec
from ..plan import Plan
from ..units import show_bytes
from .node import Inventory
from .ray_placement import Group, place
from .serve_plan import DRAIN_LOOP_S, DRAIN_S, PREFIX, slug
from .start import start


class Handed(NamedTuple):
    """What is handed over, and what it rests on."""

    config: dict[str, Any]
    """Ray Serve's own: JSON is YAML."""
    plan: Plan
    group: Group
    replicas: tuple[int, int]
    warnings: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the model is asked for by."""
        return str(self.config["applications"][0]["args"]["llm_configs"][0]["model_loading_config"]["model_id"])

    @property
    def card_bytes(self) -> int:
        """What the rank that takes most takes of its card."""
        return max(self.plan.breakdown.needed_bytes(pool) for pool in self.plan.free_bytes if pool.startswith("vram"))

    @property
    def start_s(self) -> int:
        """How long a start may take."""
        return start(self.plan, 1).seconds


def hand(
    model: ModelSpec,
    found: Inventory,
    *,
    replicas: tuple[int, int] = (1, 1),
    cards: str = "",
    name: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    drain_s: float = DRAIN_S,
    quant: str | None = None,
    context_tokens: int | None = None,
    tensor_parallel: int = 1,
    pipeline_parallel: int = 1,
    **settings: Any,
) -> Handed:
    """The configuration for `model` on the free cards of a cluster. Raises Refused where its ranks cannot be placed or do not fit a card.

    The format is the one that the checkpoint stores, unless `quant` names one that vLLM makes of it at load; UserError for one that it
    does not. Memory is that of the vLLM which the nodes have, where all have one release and no other is asked for.
    """
    wish = Wanted(model, found, replicas[0], cards, {"quant": quant, "context_tokens": context_tokens, **settings})
    group, plan = wish.on(tensor_parallel, pipeline_parallel)
    if engine_kwargs(plan.command)[0] != model.named:
        raise UserError(f"vLLM makes no {quant} of {model.name} at load: another checkpoint has it.", "its name, or --quant fp8")
    if not plan.fits:
        raise wish.short(plan, tensor_parallel, pipeline_parallel)
    return Handed(
        serve_config(plan, group, replicas, name or model.name, host, port, drain_s),
        plan,
        group,
        replicas,
        warnings(found, group, tensor_parallel),
    )


class Wanted(NamedTuple):
    """A model that is to be placed, however many cards a replica has."""

    model: ModelSpec
    found: Inventory
    replicas: int
    cards: str
    plan: Mapping[str, Any]
    """What the plan must be like, by the names of `sizeup.fit`."""

    def on(self, tensor: int, pipeline: int) -> tuple[Group, Plan]:
        """Where the ranks go, and one replica on the smallest of these cards, whether it fits or not. Raises Refused where they go nowhere."""
        group = place(self.found, tensor, pipeline, self.replicas, self.cards)
        releases = {version for node in self.found.nodes if node.name in group.nodes and (version := node.software.get("vllm"))}
        told = {"engine_version": releases.pop()} if len(releases) == 1 else {}
        box = rank_cards(self.found, group, tensor * pipeline)
        ways: dict[str, Any] = {"tensor_parallel": tensor, "pipeline_parallel": pipeline}
        return group, search.exactly(self.model, box, engine="vllm", **ways, **{**told, **self.plan})

    def short(self, plan: Plan, tensor: int, pipeline: int) -> Refused:
        """What is missing, and the least width that has it."""
        pool = min(plan.free_bytes, key=lambda each: plan.free_bytes[each])
        wider = next((width for width in (2, 4, 8, 16) if width > tensor and self.fits(width, pipeline)), None)
        return Refused(
            f"{self.model.name} does not fit {tensor * pipeline} cards of {show_bytes(plan.machine.pools[-1].bytes)}: "
            f"{show_bytes(-plan.free_bytes[pool])} are missing on one.",
            f"--tensor-parallel {wider}" if wider else "--quant fp8, a shorter --context or a smaller model",
        )

    def fits(self, tensor: int, pipeline: int) -> bool:
        try:
            return self.on(tensor, pipeline)[1].fits
        except Refused:
            return False


def rank_cards(found: Inventory, group: Group, ranks: int) -> Machine:
    """A machine of as many cards as a replica has ranks, each as the smallest of the nodes that may hold one."""
    able = [node for node in found.nodes if node.name in group.nodes]
    pairs = [(pool, device) for node in able for device in node.free().devices if (pool := node.machine.pool(device.pool)) is not None]
    pool, device = min(pairs, key=lambda pair: pair[0].free_bytes)
    host = min((node.machine for node in able), key=lambda box: box.pools[0].free_bytes)
    cards = [(f"vram:{rank}", pool, device) for rank in range(ranks)]
    pools: list[Pool] = [dataclasses.replace(pool, name=name) for name, pool, _ in cards]
    devices: list[Device] = [dataclasses.replace(device, pool=name) for name, _, device in cards]
    ram = tuple(each for each in host.pools if each.name == "ram")
    return dataclasses.replace(host, pools=(*ram, *pools), devices=tuple(devices), links=())


def serve_config(
    plan: Plan, group: Group, replicas: tuple[int, int], name: str, host: str, port: int, drain_s: float = DRAIN_S
) -> dict[str, Any]:
    """`serve deploy`'s file: one application of Ray Serve LLM."""
    source, kwargs = engine_kwargs(plan.command)
    least, most = replicas
    scale: dict[str, Any] = (
        {"num_replicas": least} if least == most else {"autoscaling_config": {"min_replicas": least, "max_replicas": most}}
    )
    # Answers pass through Ray's ingress, which therefore has to wait for them as the server does.
    drain = {"graceful_shutdown_wait_loop_s": DRAIN_LOOP_S, "graceful_shutdown_timeout_s": drain_s}
    config = {
        "model_loading_config": {"model_id": name, "model_source": os.path.abspath(source) if os.path.exists(source) else source},
        "engine_kwargs": kwargs,
        # Ray adds the kind of card to each bundle by itself.
        "placement_group_config": {
            "bundles": [{key: count for key, count in bundle.items() if key in ("GPU", "CPU")} for bundle in group.worker_bundles()],
            "strategy": group.strategy,
        },
        "deployment_config": {**scale, **drain},
        **({"accelerator_type": group.card} if group.card else {}),
    }
    application = {"name": PREFIX + slug(name), "route_prefix": "/", "import_path": "ray.serve.llm:build_openai_app"}
    return {
        "proxy_location": "HeadOnly",
        "http_options": {"host": host, "port": port},
        "applications": [{**application, "args": {"llm_configs": [config], "ingress_deployment_config": drain}}],
    }


def engine_kwargs(command: str) -> tuple[str, dict[str, Any]]:
    """The model and vLLM's keywords from the command that would start it alone: an option's name is the keyword's."""
    words = shlex.split(command)
    source, rest = words[2], words[3:]
    found: dict[str, Any] = {}
    at = 0
    while at < len(rest):
        name = rest[at].removeprefix("--").replace("-", "_")
        if at + 1 < len(rest) and not rest[at + 1].startswith("--"):
            found[name] = _value(rest[at + 1])
            at += 2
        else:
            found[name.removeprefix("no_")] = not name.startswith("no_")
            at += 1
    return source, found


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def warnings(found: Inventory, group: Group, tensor_parallel: int) -> tuple[str, ...]:
    """What Ray and vLLM may do that nobody asked for."""
    said = []
    able = [node for node in found.nodes if node.name in group.nodes]
    if group.strategy == "PACK" and any(node.free_cards % tensor_parallel for node in able):
        said.append(
            "vLLM asks Ray for single cards, and here some nodes have an uneven number free: a tensor-parallel group may be divided."
        )
    lacking = sorted(node.name for node in able if "vllm" not in node.software)
    if lacking:
        said.append(f"vLLM is not installed on {', '.join(lacking)}.")
    return tuple(said)
