"""The pod of a served model: what every Kubernetes object here runs."""

from __future__ import annotations

from typing import Any

from ...facts import data_json
from .wanted import Wanted

CACHE = "/root/.cache/huggingface"
MODELS = "/models"
MEMORY_NAME = "dshm"


def labels(found: Wanted) -> dict[str, str]:
    return {"app.kubernetes.io/name": found.name, "app.kubernetes.io/managed-by": "sizeup"}


def file_inside(found: Wanted) -> str | None:
    """A GGUF file's path in the container; None where the server fetches a checkpoint by its name."""
    if found.engine != "llama.cpp":
        return None
    words = found.words()
    return f"{MODELS}/{words[words.index('-m') + 1].rsplit('/', 1)[-1]}"


def spec(found: Wanted, more: list[str] | None = None, serves: bool = True) -> dict[str, Any]:
    """A pod's spec; `more` is added to the command line, `serves` False has no port and no probes (a worker of several nodes)."""
    arguments = [*found.arguments(file_inside(found)), *(more or [])]
    started = {"command": arguments} if found.engine == "sglang" else {"args": arguments}
    container: dict[str, Any] = {
        "name": "server",
        "image": found.image,
        **started,
        **({"ports": [{"name": "http", "containerPort": found.port}]} if serves else {}),
        # A gated model needs a token: kubectl create secret generic huggingface --from-literal=token=…
        **(
            {"env": [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "huggingface", "key": "token", "optional": True}}}]}
            if found.engine != "llama.cpp"
            else {}
        ),
        "resources": resources(found),
        **(probes(found) if serves else {}),
        "volumeMounts": mounts(found),
    }
    return {**placed(found), "containers": [container], "volumes": volumes(found)}


def placed(found: Wanted) -> dict[str, Any]:
    """Onto nodes with such cards."""
    return {
        **({"nodeSelector": found.selector} if found.selector else {}),
        **({"tolerations": [dict(one) for one in found.tolerations]} if found.tolerations else {}),
    }


def resources(found: Wanted) -> dict[str, Any]:
    """Cards by their resource's name; memory is a limit too, so that a node is not taken down; processors are not held back."""
    amounts = {"cpu": str(found.threads), "memory": f"{found.memory_bytes >> 30}Gi"}
    cards = {found.resource: str(found.cards)} if found.cards else {}
    return {"requests": {**amounts, **cards}, "limits": {"memory": amounts["memory"], **cards}}


def probes(found: Wanted) -> dict[str, Any]:
    """Nothing is asked before the start is over; then readiness takes it out of the service, and only a long silence restarts it."""
    period = int(data_json("handover.json")["start"]["period_s"])
    asked = {"httpGet": {"path": found.health, "port": "http"}}
    comments = {f"# {line}": None for line in found.start.words()}
    return {
        **comments,
        "startupProbe": {**asked, "periodSeconds": period, "timeoutSeconds": 5, "failureThreshold": -(-found.start.seconds // period)},
        "readinessProbe": {**asked, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3},
        "livenessProbe": {**asked, "periodSeconds": 30, "timeoutSeconds": 30, "failureThreshold": 5},
    }


def mounts(found: Wanted) -> list[dict[str, Any]]:
    kept = (
        {"name": "models", "mountPath": CACHE} if found.engine != "llama.cpp" else {"name": "models", "mountPath": MODELS, "readOnly": True}
    )
    return [kept, *([{"name": MEMORY_NAME, "mountPath": "/dev/shm"}] if found.shm_bytes else [])]


def volumes(found: Wanted) -> list[dict[str, Any]]:
    """Weights on a claim that the user has (several pods read it); /dev/shm counts to the memory limit."""
    shared = {"name": MEMORY_NAME, "emptyDir": {"medium": "Memory", "sizeLimit": f"{found.shm_bytes >> 20}Mi"}}
    return [{"name": "models", "persistentVolumeClaim": {"claimName": "models"}}, *([shared] if found.shm_bytes else [])]


def service(found: Wanted, selector: dict[str, str]) -> dict[str, Any]:
    """Inside of the cluster, at the server's own port."""
    ports = [{"name": "http", "port": found.port, "targetPort": "http"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": found.name, "labels": labels(found)},
        "spec": {"selector": selector, "ports": ports},
    }
