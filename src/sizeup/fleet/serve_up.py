"""Applications on a Ray cluster: started, looked at and drained. Scaling, restarts and routing are Ray Serve's."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from ..errors import EngineFailed, NotFound, Refused, Unavailable, UserError
from .ray_connect import connected, library
from .serve_plan import PREFIX, Application, slug

LOOPBACK = "127.0.0.1"
PORT = 8000
OPEN = "Ray Serve asks nobody for a key: whoever reaches {address} can use the model."
DRAIN_LOOP_S = 1.0
HEALTH_S = 5.0
HEALTH_WAIT_S = 30.0
LOOK_S = 0.5
STARTS = 3
"""How often Ray tries to start a replica before it calls the application failed."""

SCALE_UP_S, SCALE_DOWN_S = 10.0, 300.0
"""How long more requests, or fewer, must last before Ray starts or ends a replica: a start costs a load of the weights."""


class Served(NamedTuple):
    """One application as Ray Serve tells it."""

    name: str
    model: str
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


def up(address: str, asked: Application, host: str = LOOPBACK, port: int | None = None) -> Served:
    """Start the application and wait until a replica answers; nothing of ours stays on the cluster but what Ray Serve runs.

    Raises Refused when it is up already or another address is served, EngineFailed when its replicas do not start.
    """
    with connected(address) as ray:
        serve = serve_library()
        running = {one.name: one for one in told()}
        if asked.name in running:
            raise Refused(f"{asked.name} is up already.", f"sizeup fleet down {asked.name}, or --name for another")
        listening = http()
        if listening is not None and (host, port or listening[1]) != listening:
            raise Refused(
                f"Ray Serve listens at {listening[0]}:{listening[1]} already, for all that it serves.",
                f"--host {listening[0]} --port {listening[1]}",
            )
        if listening is None:
            serve.start(proxy_location="HeadOnly", http_options={"host": host, "port": port or PORT})
        taken = any(one["route_prefix"] == "/" for one in _details()["applications"].values())
        try:
            serve.run(deployment(serve, asked), name=asked.name, route_prefix=f"/{asked.name.removeprefix(PREFIX)}" if taken else "/")
        except (RuntimeError, ray.exceptions.RayError) as error:
            message = (why(asked.name) or str(error).strip().splitlines()[0])[:300].rstrip(".")
            serve.delete(asked.name)
            end_empty(serve)
            raise EngineFailed(f"Ray Serve did not start it: {message}.", "sizeup run FILE.gguf --serve on one of the nodes") from None
        except KeyboardInterrupt:
            serve.delete(asked.name, _blocking=False)
            raise
        return next(one for one in told() if one.name == asked.name)


def deployment(serve: ModuleType, asked: Application) -> Any:
    """The application as Ray Serve takes it."""
    from .serve_replica import Replica

    least, most = asked.replicas
    scaling: dict[str, Any] = {"num_replicas": least}
    if most > least:
        scaling = {
            "autoscaling_config": {
                "min_replicas": least,
                "max_replicas": most,
                "target_ongoing_requests": asked.sequences,
                "upscale_delay_s": SCALE_UP_S,
                "downscale_delay_s": SCALE_DOWN_S,
            }
        }
    actor: dict[str, Any] = {"num_cpus": asked.cores, "memory": asked.memory_bytes}
    if asked.selector:
        actor["label_selector"] = dict(asked.selector)
    made = serve.deployment(Replica).options(
        name=asked.model.replace("#", "-"),  # Ray joins the names of an application and of what is in it by this sign
        # One waits at the engine, so that it goes on without a pause; the others wait at Ray's, which knows every replica.
        max_ongoing_requests=asked.sequences + 1,
        ray_actor_options=actor,
        max_constructor_retry_count=STARTS,
        health_check_period_s=HEALTH_S,
        health_check_timeout_s=HEALTH_WAIT_S,
        graceful_shutdown_wait_loop_s=DRAIN_LOOP_S,
        graceful_shutdown_timeout_s=asked.drain_s,
        **scaling,
    )
    return made.bind(asked.job)


def why(name: str) -> str:
    """The last line of what Ray Serve keeps of a replica that did not start: the error itself; "" where it keeps nothing."""
    application = _details().get("applications", {}).get(name, {"deployments": {}})
    said = "\n".join(str(one["message"]) for one in application["deployments"].values()).strip()
    return said.rpartition("\n")[2].removeprefix(f"{EngineFailed.__module__}.{EngineFailed.__name__}: ")


def http() -> tuple[str, int] | None:
    """Where Ray Serve listens; None when it does not run."""
    details = _details()
    return (str(details["http_options"]["host"]), int(details["http_options"]["port"])) if details else None


def told() -> list[Served]:
    """Our applications, as Ray Serve tells them."""
    details = _details()
    if not details:
        return []
    listening = f"http://{details['http_options']['host']}:{details['http_options']['port']}"
    found = []
    for name, one in details["applications"].items():
        if not name.startswith(PREFIX):
            continue
        rows = [replica for each in one["deployments"].values() for replica in each["replicas"]]
        states = [str(getattr(row["state"], "value", row["state"])) for row in rows]
        found.append(
            Served(
                name,
                next(iter(one["deployments"]), ""),
                str(getattr(one["status"], "value", one["status"])),
                listening + (one["route_prefix"] or "/"),
                {state: states.count(state) for state in dict.fromkeys(states)},
                tuple(dict.fromkeys(str(row["node_ip"]) for row in rows if row.get("node_ip"))),
                str(one["message"] or ""),
            )
        )
    return found


def _details() -> dict[str, Any]:
    """Everything of Ray Serve; empty when it does not run. It has no public call for this but the dashboard's, which need not be there."""
    from ray.serve.context import _get_global_client

    client = _get_global_client(raise_if_no_controller_running=False)
    return dict(client.get_serve_details()) if client is not None else {}


def status(address: str) -> list[Served]:
    """Our applications on the cluster."""
    with connected(address):
        serve_library()
        return told()


def down(address: str, name: str | None, wait_s: float, tell: Callable[[Served], None] = lambda one: None) -> Served:
    """Let an application take no further request, wait until those being answered have ended, and end it; its last state before that.

    `name` None means the only one. Where nothing else is served, Ray Serve itself is ended. Raises NotFound, UserError
    where several could be meant, Unavailable after `wait_s`.
    """
    with connected(address):
        serve = serve_library()
        ours = {one.name: one for one in told()}
        asked = name if name is None or name.startswith(PREFIX) else PREFIX + slug(name)
        if not ours:
            raise NotFound("The cluster serves nothing of sizeup.", "sizeup fleet status")
        if asked is None and len(ours) > 1:
            raise UserError(f"The cluster serves {len(ours)} applications of sizeup, and none was named.", ", ".join(ours))
        chosen = ours.get(asked or next(iter(ours)))
        if chosen is None:
            raise NotFound(f"The cluster serves nothing called {asked}.", ", ".join(ours))
        serve.delete(chosen.name, _blocking=False)
        end = time.monotonic() + wait_s
        while (left := next((one for one in told() if one.name == chosen.name), None)) is not None:
            tell(left)
            if time.monotonic() > end:
                raise Unavailable(f"{chosen.name} still answers after {wait_s:g} s.", "sizeup fleet status; it ends by itself")
            time.sleep(LOOK_S)
        end_empty(serve)
        return chosen


def end_empty(serve: ModuleType) -> None:
    """End Ray Serve itself where it serves nothing any more, so that the next one may listen elsewhere."""
    if not _details().get("applications"):
        serve.shutdown()
