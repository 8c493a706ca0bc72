"""A compose file: one machine with Docker, reachable from it alone."""

from __future__ import annotations

import os
import shlex
from typing import Any

from ...plan import Plan
from .pod import CACHE, MODELS
from .wanted import Wanted, image

DEVICES = {"rocm": ["/dev/kfd", "/dev/dri"], "vulkan": ["/dev/dri"], "sycl": ["/dev/dri"]}
"""What a container is given of the cards where no driver does it."""


def document(found: Wanted) -> dict[str, Any]:
    """One service a replica, each at a port and with cards of its own."""
    found.only("a compose file")
    services = {}
    for number in range(found.replicas):
        name = found.name if found.replicas == 1 else f"{found.name}-{number}"
        services[name] = service(
            found.plan,
            found.image,
            found.port + number,
            found.kind if found.cards else "cpu",
            [str(number * found.cards + card) for card in range(found.cards)],
            found.port,
            {
                **({"shm_size": f"{found.shm_bytes >> 20}m"} if found.shm_bytes else {}),
                "mem_limit": f"{found.memory_bytes >> 30}g",
                **{f"# {line}": None for line in found.start.words()},
                "healthcheck": {
                    "test": ["CMD-SHELL", f"curl -fs http://localhost:{found.port}{found.health}"],
                    "interval": "30s",
                    "timeout": "10s",
                    "retries": 5,
                    "start_period": f"{found.start.seconds}s",
                },
            },
        )
    return {"services": services, **({"volumes": {"models": {}}} if found.engine != "llama.cpp" else {})}


def service(plan: Plan, picture: str, port: int, kind: str, cards: list[str], inside: int, more: dict[str, Any]) -> dict[str, Any]:
    """A service of this plan; no cards means all that there are."""
    typed = shlex.split(plan.command)
    if plan.engine == "llama.cpp":
        path = os.path.abspath(plan.model.path) if plan.model.path else f"./{typed[typed.index('-m') + 1]}"
        file = f"{MODELS}/{os.path.basename(path)}"
        words, volume = ["-m", file, *typed[typed.index("-m") + 2 :]], f"{path}:{file}:ro"
    else:
        words, volume = typed[2:] if plan.engine == "vLLM" else typed, f"models:{CACHE}"
    words = [word.replace("$", "$$") for word in [*words, "--host", "0.0.0.0", "--port", str(inside)]]
    which: dict[str, Any] = {"device_ids": cards} if cards else {"count": "all"}
    return {
        "image": picture,
        "command": words,
        **({"environment": {"HF_TOKEN": "${HF_TOKEN:-}"}} if plan.engine != "llama.cpp" else {}),
        "ports": [f"127.0.0.1:{port}:{inside}"],
        "volumes": [volume.replace("$", "$$")],
        **({"devices": [f"{one}:{one}" for one in DEVICES[kind]]} if kind in DEVICES else {}),
        **more,
        **(
            {"deploy": {"resources": {"reservations": {"devices": [{"driver": "nvidia", **which, "capabilities": ["gpu"]}]}}}}
            if kind == "cuda"
            else {}
        ),
        "restart": "unless-stopped",
    }


def of_plan(plan: Plan, port: int = 8080) -> dict[str, Any]:
    """llama.cpp's own server with all cards of this machine, for a plan that nothing else is known of."""
    from ...facts import data_json

    # Without layers on a card the processor's image does.
    kind = (plan.settings.gpu_kind if plan.settings.gpu_layers else "") or "cpu"
    picture = image(
        "llama.cpp", kind if kind in ("cuda", "rocm", "vulkan", "sycl") else "cpu", data_json("handover.json")["versions"]["llama.cpp"]
    )
    healthy = {"healthcheck": {"test": ["CMD", "curl", "-f", "http://localhost:8080/health"]}}
    return {"services": {"llama": service(plan, picture, port, kind, [], 8080, healthy)}}
