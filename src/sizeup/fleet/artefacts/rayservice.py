"""KubeRay's RayService: a Ray cluster of the size that is needed, with the model served on it."""

from __future__ import annotations

from typing import Any

from ...facts import data_json
from ...yaml_lines import yaml
from . import pod, ray_llm
from .wanted import Wanted, image

HEAD_CPUS, HEAD_GIB = 4, 16
STORE_BYTES = 1 << 29


def documents(found: Wanted) -> list[dict[str, Any]]:
    """One object; KubeRay makes the Service itself. A worker is a node's share; the head has no card and no replica."""
    facts = data_json("handover.json")
    version = facts["versions"]["ray"]
    serve = ray_llm.config(found, "0.0.0.0")
    head = {
        "name": "ray-head",
        "image": image("ray", found.kind, version),
        "resources": {"requests": {"cpu": str(HEAD_CPUS), "memory": f"{HEAD_GIB}Gi"}, "limits": {"memory": f"{HEAD_GIB}Gi"}},
        "ports": [
            {"name": "gcs-server", "containerPort": 6379},
            {"name": "dashboard", "containerPort": 8265},
            {"name": "serve", "containerPort": found.port},
        ],
    }
    worker = {
        "name": "ray-worker",
        "image": image("ray", found.kind, version),
        "env": [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "huggingface", "key": "token", "optional": True}}}],
        "resources": pod.resources(found),
        "volumeMounts": [
            {**one, "mountPath": "/home/ray/.cache/huggingface"} if one["name"] == "models" else one for one in pod.mounts(found)
        ],
    }
    workers = found.replicas * found.nodes
    group = {
        "groupName": "cards",
        "replicas": workers,
        "minReplicas": workers,
        "maxReplicas": workers,
        # Its store of objects shares /dev/shm with the ranks; nothing is passed through it here.
        "rayStartParams": {"object-store-memory": str(STORE_BYTES)},
        "template": {"spec": {**pod.placed(found), "containers": [worker], "volumes": pod.volumes(found)}},
    }
    return [
        {
            "apiVersion": "ray.io/v1",
            "kind": "RayService",
            "metadata": {"name": found.name, "labels": pod.labels(found)},
            "spec": {
                **{f"# {line}": None for line in found.start.words()},
                "serviceUnhealthySecondThreshold": found.start.seconds,
                "deploymentUnhealthySecondThreshold": found.start.seconds,
                "serveConfigV2": "\n".join(yaml({key: value for key, value in serve.items() if key == "applications"})) + "\n",
                "rayClusterConfig": {
                    "rayVersion": version,
                    "headGroupSpec": {
                        "rayStartParams": {"dashboard-host": "0.0.0.0", "num-cpus": "0"},
                        "template": {"spec": {"containers": [head]}},
                    },
                    "workerGroupSpecs": [group],
                },
            },
        }
    ]
