"""A Deployment and its Service: replicas of one node each."""

from __future__ import annotations

from typing import Any

from . import pod
from .wanted import Wanted


def documents(found: Wanted) -> list[dict[str, Any]]:
    """Two objects. A new version replaces the old one where it stands: cards that it would need beside are rarely free."""
    found.only("a Deployment")
    chosen = {"app.kubernetes.io/name": found.name}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": found.name, "labels": pod.labels(found)},
        "spec": {
            "replicas": found.replicas,
            "progressDeadlineSeconds": found.start.seconds + 60,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "selector": {"matchLabels": chosen},
            "template": {"metadata": {"labels": pod.labels(found)}, "spec": pod.spec(found)},
        },
    }
    return [deployment, pod.service(found, chosen)]
