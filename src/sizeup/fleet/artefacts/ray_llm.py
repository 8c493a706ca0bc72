"""Ray Serve LLM's configuration, for `serve deploy` on a cluster that is there, or within a RayService."""

from __future__ import annotations

from typing import Any

from ...facts import data_json
from ...figure import plain
from ..ray_placement import CPUS_A_RANK, Group
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
    """What Ray calls the cards; "" where it has no name that means them."""
    device = next((one.name for one in found.plan.machine.devices), "")
    known = data_json("ray_accelerators.json")["devices"]
    exact = [name for name, ours in known.items() if ours == device]
    short = device.split(" ")[0]
    return exact[0] if len(exact) == 1 else short if short in PLAIN else ""


PLAIN = ("V100", "T4", "L4", "L40S", "A10G", "H100", "H200", "H20", "B200")
"""Names that are the same in both (ray/util/accelerators/accelerators.py of Ray 2.60.0)."""
