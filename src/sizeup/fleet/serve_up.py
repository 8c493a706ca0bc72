"""Applications started on a Ray cluster and waited for. Scaling, restarts and routing are Ray Serve's."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import ModuleType

from ..errors import Refused, Unavailable
from .ray_connect import connected
from .serve_down import LOOK_S, end_empty, gone
from .serve_launch import Launch
from .serve_plan import PREFIX
from .serve_told import Served, details, http, serve_library, told, why

LOOPBACK = "127.0.0.1"
PORT = 8000
OPEN = "Ray Serve asks nobody for a key: whoever reaches {address} can use the model."
GIVE_UP_S = 30.0
"""How long what did not start is waited for to be gone."""

Tell = Callable[[Sequence[Served]], None]


def up(
    address: str, asked: Sequence[Launch], host: str = LOOPBACK, port: int | None = None, tell: Tell = lambda found: None
) -> list[Served]:
    """Start the applications and wait until each of them answers, `tell` hearing of them meanwhile; all of them or none.

    Nothing of ours stays on the cluster but what Ray Serve runs. Raises Refused when one is up already, its path is taken or another address is served,
    EngineFailed when one does not start, Unavailable when one takes longer than it may; then, and when it is broken off, all are ended.
    """
    with connected(address) as ray:
        serve = serve_library()
        names = [one.name for one in asked]
        if up_already := sorted({one.name for one in told()} & set(names)):
            raise Refused(f"{up_already[0]} is up already.", f"sizeup fleet down {up_already[0]}, or --name for another")
        routes = [route(name, len(asked)) for name in names]
        listen(serve, host, port)
        try:
            for one, path in zip(asked, routes, strict=True):
                one.begin(ray, serve, path)
            return wait(asked, tell)
        except (RuntimeError, ray.exceptions.RayError) as error:
            abandon(ray, serve, names)
            raise asked[0].failed(str(error).strip().splitlines()[-1][:300].rstrip(".")) from None
        except BaseException:
            abandon(ray, serve, names)
            raise


def listen(serve: ModuleType, host: str, port: int | None) -> None:
    """Have Ray Serve listen there. Raises Refused where it listens elsewhere already."""
    listening = http()
    if listening is not None and (host, port or listening[1]) != listening:
        raise Refused(
            f"Ray Serve listens at {listening[0]}:{listening[1]} already, for all that it serves.",
            f"--host {listening[0]} --port {listening[1]}",
        )
    if listening is None:
        serve.start(proxy_location="HeadOnly", http_options={"host": host, "port": port or PORT})


def route(name: str, applications: int) -> str:
    """The root for what is served alone, else a path of its own. Raises Refused where somebody else's application has that."""
    taken = {one["route_prefix"]: other for other, one in details().get("applications", {}).items()}
    if applications == 1 and "/" not in taken:
        return "/"
    own = f"/{name.removeprefix(PREFIX)}"
    if own in taken:
        raise Refused(f"The cluster serves {taken[own]} at {own} already.", "--name for another")
    return own


def wait(asked: Sequence[Launch], tell: Tell) -> list[Served]:
    """All of them when they run. Raises EngineFailed with Ray's reason, Unavailable after the longest that one may take."""
    limit = max(one.wait_s for one in asked)
    end = time.monotonic() + limit
    while True:
        found = {one.name: one for one in told()}
        ours = [found[one.name] for one in asked if one.name in found]
        tell(ours)
        for one in asked:
            state = found[one.name].state if one.name in found else ""
            if state not in ("DEPLOYING", "RUNNING", "NOT_STARTED"):
                raise one.failed(why(one.name) or state or "gone")
        waiting = [one for one in ours if one.state != "RUNNING"]
        if not waiting:
            return ours
        if time.monotonic() > end:
            reason = why(waiting[0].name) or waiting[0].state
            raise Unavailable(f"{waiting[0].name} did not answer within {limit:g} s: {reason}.", "--wait with more seconds")
        time.sleep(LOOK_S)


def abandon(ray: ModuleType, serve: ModuleType, names: Sequence[str]) -> None:
    """End what was begun: replicas at once, since nobody was told of them; and Ray Serve itself where it serves nothing else."""
    begun = {one.name: one for one in told() if one.name in names}
    actors = [actor for name in begun for actor in replica_actors(name)]
    for name in begun:
        serve.delete(name, _blocking=False)
    # A replica that still loads its model does not hear that it is to end.
    for actor in actors:
        try:
            ray.kill(ray.get_actor(actor, namespace="serve"))
        except ValueError:
            continue
    gone(begun, GIVE_UP_S)
    end_empty(serve)


def replica_actors(name: str) -> list[str]:
    """What Ray calls the replicas of an application."""
    rows = [row for each in details()["applications"][name]["deployments"].values() for row in each["replicas"]]
    return [str(row["actor_name"]) for row in rows if row.get("actor_name")]
