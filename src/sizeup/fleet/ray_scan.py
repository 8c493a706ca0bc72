"""A Ray cluster as it is now: what it declares of each node, what is granted, and what each node tells of itself within its time."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from .node import Inventory
from .ray_connect import connected
from .ray_detect import detect, granted
from .ray_node import Seen, node

TIMEOUT_S = 60.0
"""How long a node may take to tell what it is: the first process that Ray starts there takes seconds by itself."""


def scan(address: str = "auto", timeout_s: float = TIMEOUT_S) -> Inventory:
    """Every node of the cluster at `address`; one that does not answer in time is told with what Ray says of it.

    Reads only: one short task a node, which asks for no processor and no card and so never waits for others' work to end.
    Raises Unavailable where Ray is not installed or no cluster answers.
    """
    with connected(address) as ray:
        return look(ray, address, timeout_s)[0]


def look(ray: ModuleType, address: str, timeout_s: float, paths: Sequence[str] = ()) -> tuple[Inventory, dict[str, dict[str, int]]]:
    """The cluster that Ray is connected to; and path -> node name -> bytes of the file there, -1 where it is not."""
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    rows: list[dict[str, Any]] = sorted(ray.nodes(), key=lambda row: (not row["Alive"], row["NodeManagerAddress"], row["NodeID"]))
    told, trouble = tell(ray, [row["NodeID"] for row in rows if row["Alive"]], timeout_s, paths)
    available, draining = told.pop("", ({}, []))
    # A node may have died while it was asked, and Ray says why.
    dead = {row["NodeID"]: row for row in ray.nodes() if not row["Alive"]}
    rows = [dead.get(row["NodeID"], row) for row in rows]
    names = named(rows)
    seen = [
        Seen(
            names[row["NodeID"]],
            row,
            available.get(row["NodeID"], {}),
            row["NodeID"] in draining,
            told.get(row["NodeID"], {}),
            trouble.get(row["NodeID"], ""),
            date,
        )
        for row in rows
    ]
    files = {path: {each.name: int(each.told.get("bytes_at", {}).get(path, -1)) for each in seen} for path in paths}
    late = "" in trouble
    warnings = (f"Ray did not tell what is granted ({trouble['']}): nothing counts as free.",) if late else ()
    return Inventory("ray", address, tuple(map(node, seen)), date, str(ray.__version__), warnings), files


def tell(ray: ModuleType, ids: list[str], timeout_s: float, paths: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Node id -> what it told, and "" -> what is granted; node id -> why it told nothing."""
    from ray import cloudpickle
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from . import ray_detect

    # The task travels as it is written here: a node needs Ray and nothing of ours to answer.
    cloudpickle.register_pickle_by_value(ray_detect)
    try:
        asked = {ray.remote(num_cpus=0, max_retries=0)(granted).remote(): ""}
        look = ray.remote(num_cpus=0, max_retries=0)(detect)
        for id in ids:
            asked[look.options(scheduling_strategy=NodeAffinitySchedulingStrategy(id, soft=False)).remote(list(paths))] = id
    finally:
        cloudpickle.unregister_pickle_by_value(ray_detect)
    done, late = ray.wait(list(asked), num_returns=len(asked), timeout=timeout_s)
    told: dict[str, Any] = {}
    trouble = {asked[reference]: f"no answer within {timeout_s:g} s" for reference in late}
    for reference in late:
        ray.cancel(reference, force=True)
    for reference in done:
        try:
            told[asked[reference]] = ray.get(reference)
        except ray.exceptions.RayError as error:
            trouble[asked[reference]] = str(error).strip().splitlines()[-1][:200].rstrip(".")
    return told, trouble


def named(rows: list[dict[str, Any]]) -> Mapping[str, str]:
    """Node id -> a name that only it has: the host's, with the beginning of its id where several have one host."""
    hosts = [str(row.get("NodeManagerHostname") or row["NodeManagerAddress"]) for row in rows]
    return {row["NodeID"]: host if hosts.count(host) == 1 else f"{host}/{row['NodeID'][:6]}" for row, host in zip(rows, hosts, strict=True)}
