"""Stores as the tools lay them out, made in a folder of a test, and servers that answer with the documented shapes.

Ollama: server/manifest.go of v0.12; Hugging Face: huggingface_hub 1.0, "Understand caching"; LM Studio: its documentation of 0.3.
The servers are ours: they show that a client reads those shapes, not that the real program sends them.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MODEL = "application/vnd.ollama.image.model"


def ollama_tag(store: Path, name: str, weights: Path, claimed: int | None = None) -> Path:
    """A tag of Ollama's with this file as its weights, linked and not copied; `claimed` bytes in its manifest. Returns the blob."""
    digest = hashlib.sha256(weights.name.encode()).hexdigest()
    blob = store / "blobs" / f"sha256-{digest}"
    blob.parent.mkdir(parents=True, exist_ok=True)
    if not blob.exists():
        blob.hardlink_to(weights)
    size = weights.stat().st_size if claimed is None else claimed
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": f"sha256:{'0' * 64}", "size": 2}
    layers = [{"mediaType": MODEL, "digest": f"sha256:{digest}", "size": size}]
    model, _, tag = name.partition(":")
    manifest = store / "manifests/registry.ollama.ai/library" / model / tag
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps({"schemaVersion": 2, "config": config, "layers": layers}))
    return blob


def hub_file(cache: Path, repository: str, revision: str, name: str, content: Path, ref: str = "") -> Path:
    """A file of a snapshot, a link to its blob as huggingface_hub makes it; `ref` names the revision. Returns the link."""
    root = cache / f"models--{repository.replace('/', '--')}"
    digest = hashlib.sha256(content.name.encode()).hexdigest()
    blob = root / "blobs" / digest
    blob.parent.mkdir(parents=True, exist_ok=True)
    if not blob.exists():
        blob.hardlink_to(content)
    link = root / "snapshots" / revision / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(blob)
    if ref:
        (root / "refs").mkdir(exist_ok=True)
        (root / "refs" / ref).write_text(revision)
    return link


Answer = Callable[[str, str, Any], tuple[int, Any]]
"""(method, path, body) -> (status, JSON; an iterator of bytes is streamed)."""


@contextmanager
def served(answer: Answer) -> Iterator[str]:
    """A server on loopback that answers so; its address. It is gone when the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _reply(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, content = answer(self.command, self.path, body)
            self.send_response(status)
            if isinstance(content, Iterator):
                self.end_headers()
                for piece in content:
                    self.wfile.write(piece)
                    self.wfile.flush()
                return
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_DELETE = _reply

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def replies(table: dict[str, Any]) -> Answer:
    """Answers by path; 404 for the rest, as these servers say it."""
    return lambda method, path, body: (200, table[path]) if path in table else (404, {"error": "not found"})
