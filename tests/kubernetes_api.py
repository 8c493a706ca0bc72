"""A Kubernetes API on loopback that lists made-up nodes and pods in pages, for kubectl to ask."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


def node(name: str, labels: dict[str, str], allocatable: dict[str, str], **spec: Any) -> dict[str, Any]:
    """A ready node of 192 processors and 2000 Gi."""
    room = {"cpu": "191", "memory": "2000Gi", "pods": "110", **allocatable}
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "secret.example/owner": "x", **labels}},
        "spec": spec,
        "status": {
            "capacity": {**room, "cpu": "192", "memory": "2015Gi"},
            "allocatable": room,
            "conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": "True"}],
            "nodeInfo": {"architecture": "amd64"},
        },
    }


def gpus(product: str, count: int, mib: int, **more: str) -> dict[str, str]:
    """The labels that NVIDIA's feature discovery writes."""
    return {"nvidia.com/gpu.product": product, "nvidia.com/gpu.count": str(count), "nvidia.com/gpu.memory": str(mib), **more}


def pod(where: str, requests: dict[str, str], phase: str = "Running", **spec: Any) -> dict[str, Any]:
    """A pod of one container."""
    containers = [{"name": "c", "resources": {"requests": requests}}]
    return {
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"nodeName": where, "containers": containers, **spec},
        "status": {"phase": phase},
    }


@contextmanager
def api(nodes: Sequence[Any], pods: Sequence[Any], page: int = 2, forbidden: bool = False) -> Iterator[tuple[str, list[str]]]:
    """The address of the API and the requests it got; lists come `page` items at a time, pods not at all where they are `forbidden`."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *words: Any) -> None:
            pass

        def do_GET(self) -> None:
            asked.append(self.path)
            parts, query = urlsplit(self.path), parse_qs(urlsplit(self.path).query)
            lists = {"/api/v1/nodes": nodes, "/api/v1/pods": pods}
            if parts.path == "/version":
                self._answer(200, {"major": "1", "minor": "34", "gitVersion": "v1.34.1"})
            elif parts.path == "/api/v1/pods" and forbidden:
                said = 'pods is forbidden: User "viewer" cannot list resource "pods" in API group "" at the cluster scope'
                self._answer(
                    403, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": said}
                )
            elif parts.path in lists:
                start = int(query.get("continue", ["0"])[0])
                end = start + min(page, int(query["limit"][0]))
                following = {"continue": str(end)} if end < len(lists[parts.path]) else {}
                self._answer(200, {"kind": "List", "apiVersion": "v1", "metadata": following, "items": lists[parts.path][start:end]})
            else:
                self._answer(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404})

        def _answer(self, code: int, content: Any) -> None:
            body = json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
