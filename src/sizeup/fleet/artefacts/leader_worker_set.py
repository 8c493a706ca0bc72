"""A LeaderWorkerSet: replicas that spread over several nodes each, started and replaced as a group."""

from __future__ import annotations

from typing import Any

from ...errors import UserError
from . import pod
from .wanted import Wanted

LEADER = "leader"


def documents(found: Wanted) -> list[dict[str, Any]]:
    """The set, and a Service of its leaders. Raises UserError for a replica of one node."""
    found.only("a LeaderWorkerSet", ("vllm", "sglang"), spread=True)
    if found.nodes < 2:
        raise UserError("A LeaderWorkerSet is for replicas of several nodes, and this one takes one.", "--emit deployment, or --nodes 2")
    # The set gives every pod these variables; Kubernetes itself puts them in.
    leader, worker = (found.spread(rank, "$(LWS_LEADER_ADDRESS)") for rank in ("0", "$(LWS_WORKER_INDEX)"))
    if found.engine == "vllm":
        worker = [*worker, "--headless"]
    tags = {**pod.labels(found), "role": LEADER}
    group = {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": {"name": found.name, "labels": pod.labels(found)},
        "spec": {
            "replicas": found.replicas,
            "leaderWorkerTemplate": {
                "size": found.nodes,
                "restartPolicy": "RecreateGroupOnPodRestart",
                "leaderTemplate": {"metadata": {"labels": tags}, "spec": pod.spec(found, leader)},
                "workerTemplate": {"metadata": {"labels": pod.labels(found)}, "spec": pod.spec(found, worker, serves=False)},
            },
        },
    }
    return [group, pod.service(found, {"app.kubernetes.io/name": found.name, "role": LEADER})]
