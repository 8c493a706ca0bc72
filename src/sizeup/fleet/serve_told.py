"""What Ray Serve tells of the applications that are ours. Nothing here changes a cluster."""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

from ..errors import EngineFailed, Unavailable
from .ray_connect import connected, library
from .serve_plan import PREFIX

INGRESS = "OpenAiIngress"
"""What Ray Serve LLM puts before its servers; it runs no model, and its replicas are not counted."""
SERVER = "LLMServer:"
"""What it begins its servers' names with: of `owner/model.1` it makes `owner--model_1`."""


class Served(NamedTuple):
    """One application as Ray Serve tells it."""

    name: str
    model: str
    """As Ray Serve names what runs it."""
    state: str
    """Ray Serve's own word: RUNNING, DEPLOYING, UNHEALTHY, DELETING, …"""
    address: str
    replicas: dict[str, int]
    """State of a replica -> how many."""
    nodes: tuple[str, ...]
    """Addresses of the nodes that they are on."""
    message: str


def serve_library() -> ModuleType:
    """Ray Serve. Raises Unavailable where it is not installed."""
    import importlib
    import logging

    library()
    try:
        serve = importlib.import_module("ray.serve")
    except ImportError:
        raise Unavailable("Ray Serve is not installed here.", 'pip install ".[ray]" in the folder of sizeup') from None
    for name in ("ray", "ray.serve"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return serve


def status(address: str) -> list[Served]:
    """Our applications on the cluster."""
    with connected(address):
        serve_library()
        return told()


def http() -> tuple[str, int] | None:
    """Where Ray Serve listens; None when it does not run."""
    found = details()
    return (str(found["http_options"]["host"]), int(found["http_options"]["port"])) if found else None


def told() -> list[Served]:
    """Our applications, as Ray Serve tells them."""
    found = details()
    if not found:
        return []
    listening = f"http://{found['http_options']['host']}:{found['http_options']['port']}"
    return [one_told(name, one, listening) for name, one in found["applications"].items() if name.startswith(PREFIX)]


def one_told(name: str, one: dict[str, Any], listening: str) -> Served:
    """One of Ray Serve's rows."""
    servers = {key: each for key, each in one["deployments"].items() if key != INGRESS}
    rows = [replica for each in servers.values() for replica in each["replicas"]]
    states = [word(row["state"]) for row in rows]
    return Served(
        name,
        next(iter(servers), "").removeprefix(SERVER),
        word(one["status"]),
        listening + (one["route_prefix"] or "/"),
        {state: states.count(state) for state in dict.fromkeys(states)},
        tuple(dict.fromkeys(str(row["node_ip"]) for row in rows if row.get("node_ip"))),
        str(one["message"] or ""),
    )


def word(state: Any) -> str:
    """A state as Ray writes it, whether it comes as a word or as one of a list."""
    return str(getattr(state, "value", state))


def details() -> dict[str, Any]:
    """Everything of Ray Serve; empty when it does not run. It has no public call for this but the dashboard's, which need not be there."""
    from ray.serve.context import _get_global_client

    client = _get_global_client(raise_if_no_controller_running=False)
    return dict(client.get_serve_details()) if client is not None else {}


def why(name: str) -> str:
    """The last line of what Ray Serve keeps of the replicas of an application that do not start: the error itself; "" where it keeps nothing."""
    deployments = details().get("applications", {}).get(name, {"deployments": {}})["deployments"].values()
    said = [str(one["message"]).strip() for one in deployments if one["message"] and word(one["status"]) != "HEALTHY"]
    last = said[0].rpartition("\n")[2] if said else ""
    return last.removeprefix(f"{EngineFailed.__module__}.{EngineFailed.__name__}: ")[:300].rstrip(".")
