"""Ray Serve LLM's configuration, for `serve deploy` on a cluster that is there, or within a RayService."""

from __future__ import annotations

from typing import Any

from ...figure import plain
from ..ray_placement import CPUS_A_RANK, Group, ray_card
from ..serve_llm import serve_config
from .wanted import Wanted


def config(found: Wanted, host: str = "127.0.0.1") -> dict[str, Any]:
    """The one that `sizeup fleet up --to` writes, without a cluster that was looked at."""
    found.only("Ray Serve LLM", ("vllm",), spread=True)
    return serve_config(found.plan, _group(found), (found.replicas, found.replicas), found.name, host, found.port)


def _group(found: Wanted) -> Group:
    """Ranks of one node in one bundle; several nodes have one each."""
    tensor = int(plain(found.plan.settings.tensor_parallel))
    share = found.cards if found.nodes == 1 else min(found.cards, tensor)
    bundles = found.nodes * found.cards // share
    made = Group((), "STRICT_PACK" if found.nodes == 1 else "PACK", card(found), (), found.replicas)
    return made._replace(bundles=(made.one({"GPU": float(share), "CPU": CPUS_A_RANK * share}),) * bundles)


def card(found: Wanted) -> str:
    """What Ray calls the card; "" where it has no name that means it."""
    return ray_card(next((one.name for one in found.plan.machine.devices), ""))
