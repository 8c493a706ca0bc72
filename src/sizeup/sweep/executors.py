"""Who works on the groups of a sweep: processes of this machine, or the nodes of a Ray cluster. Both call the same pure function."""

from __future__ import annotations

import importlib
import logging
import os
import pickle
from collections.abc import Iterator, Mapping
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from ..errors import Unavailable
from ..fleet.ray_connect import connected
from .folder import write_group
from .group import Asked, answer
from .shapes import Config

GROUPS_A_PROCESS = 16
"""Processes are replaced after so many groups each, which keeps their memory small."""

Group = list[tuple[str, str, Config]]
Finished = Iterator[tuple[str, dict[str, Any]]]
"""Names of groups, as they are done, with what the manifest keeps of each; their files are written."""


def on_processes(groups: Mapping[str, Group], asked: Asked, path: Path, workers: int | None) -> Finished:
    """Work in processes of this machine; `workers` None takes every core. Raises Unavailable when one is ended from outside."""
    count = min(workers or os.cpu_count() or 1, len(groups))
    if count <= 1:
        yield from ((name, one(name, group, asked, path)) for name, group in groups.items())
        return
    names = list(groups)
    # New processes after so many groups. Python 3.11's own way of replacing them (max_tasks_per_child) may wait for ever
    # (github.com/python/cpython/issues/115634).
    for at in range(0, len(names), count * GROUPS_A_PROCESS):
        yield from _round({name: groups[name] for name in names[at : at + count * GROUPS_A_PROCESS]}, asked, path, count)


def _round(groups: Mapping[str, Group], asked: Asked, path: Path, count: int) -> Finished:
    import multiprocessing

    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
        running: dict[Future[dict[str, Any]], str] = {pool.submit(one, name, group, asked, path): name for name, group in groups.items()}
        try:
            yield from ((running[future], future.result()) for future in as_completed(running))
        except BrokenExecutor:
            raise Unavailable(
                "A process of the sweep was ended from outside, perhaps for memory.", "--workers 1; finished groups are kept"
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def one(name: str, group: Group, asked: Asked, path: Path) -> dict[str, Any]:
    """Work on one group and write its files; what a process does."""
    return write_group(path, name, answer(group, asked), asked)


def on_ray(groups: Mapping[str, Group], asked: Asked, path: Path, address: str) -> Finished:
    """Work on a Ray cluster, group by group, with Ray Data. Answers come back and are written here: nodes need no folder in common.

    `address` as in `fleet.ray_connect`, or "local": a cluster that is started for this sweep and ended after it. Nodes must have sizeup.
    Raises Unavailable without Ray or the cluster, or when it breaks off.
    """
    if not groups:
        return
    with connected(address) as ray:
        data = importlib.import_module("ray.data")
        data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        told = ray.put(asked)
        rows = data.from_items([{"name": name, "group": pickle.dumps(group)} for name, group in groups.items()])
        try:
            for row in rows.repartition(len(groups)).map(_remote, fn_kwargs={"asked": told}).iter_rows():
                yield row["name"], write_group(path, row["name"], pickle.loads(row["found"]), asked)
        except ray.exceptions.RayError as error:
            why = " ".join(str(error).split())[:300].rstrip(".")
            raise Unavailable(f"The Ray cluster broke off: {why}.", "the same command: finished groups are kept") from None


def _remote(row: dict[str, Any], asked: Any) -> dict[str, Any]:
    """What a node does."""
    import ray

    group: Group = pickle.loads(row["group"])
    return {"name": row["name"], "found": pickle.dumps(answer(group, ray.get(asked)))}
