"""A Ray cluster of declared machines on loopback, in a process of its own: `python -m tests.ray_cluster FOLDER` prints its address.

Its nodes are raylets of this machine that say they had cards; nothing touches a card. It lasts until its input ends, and ends what it
started. FOLDER is Ray's own for this cluster, so that no other Ray here is met; its path must be short (sockets are in it). With a second
word, "plain", no node has cards.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, NamedTuple

ENVIRONMENT = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # as there: every address stays 127.0.0.1
    "RAY_raylet_start_wait_time_s": "400",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_DOCKER_CPU_WARNING": "1",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
}
"""What the cluster and everybody who talks to it need; the start of a raylet takes long on a busy machine."""

STORE_BYTES = 80 * 2**20


class Declared(NamedTuple):
    """What a node says of itself."""

    cpus: int
    cards: int = 0
    card: str = ""
    memory_bytes: int = 6 * 2**30


NODES = (Declared(4), Declared(4, 8, "H100"), Declared(4, 8, "H100"), Declared(4, 4, "L40S"))
PLAIN = (Declared(4),) * 4


def arguments(node: Declared) -> dict[str, Any]:
    """A node for Ray, declared as Ray itself declares a machine with such cards."""
    labels = {"ray.io/accelerator-type": node.card} if node.card else {}
    resources = {f"accelerator_type:{node.card}": 1} if node.card else {}
    return {
        "num_cpus": node.cpus,
        "num_gpus": node.cards,
        "memory": node.memory_bytes,
        "labels": labels,
        "resources": resources,
        "object_store_memory": STORE_BYTES,
        "node_ip_address": "127.0.0.1",
    }


def main(folder: str, kind: str = "") -> None:
    import ray._common.utils
    import ray._private.utils
    from ray.cluster_utils import Cluster

    # It would name itself in /tmp/ray as the cluster that "auto" finds, in place of one that somebody runs here.
    ray._private.utils.write_ray_address = lambda *_: None
    ray._common.utils.reset_ray_address = lambda *_: None
    head, *others = PLAIN if kind == "plain" else NODES
    # The head has the least port range of its own: its dashboard is not needed, since states are asked of the GCS.
    cluster = Cluster(initialize_head=True, head_node_args={**arguments(head), "include_dashboard": False, "temp_dir": folder})
    try:
        nodes = [cluster.add_node(**arguments(node)) for node in others]
        print(json.dumps({"address": cluster.address, "pid": os.getpid(), "nodes": len(nodes) + 1}), flush=True)
        for line in sys.stdin:
            if line.strip() == "lose":
                cluster.remove_node(nodes.pop(), allow_graceful=False)
                print(json.dumps({"nodes": len(nodes) + 1}), flush=True)
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
