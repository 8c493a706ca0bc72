"""A tiny static server on the loopback interface: folders under paths, byte ranges, isolation headers when asked."""

from __future__ import annotations

import contextlib
import mimetypes
import re
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

ISOLATION = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
CORS = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
# The system's table may lack them or call .js text/plain, and a module script must have the right type.
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


class Handler(BaseHTTPRequestHandler):
    """GET and HEAD of files under the server's mounts; everything else is refused."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        path = self.server.file(urlsplit(self.path).path)
        if path is None and self.path == "/favicon.ico":
            # Chromium asks for it on its own, and a 404 would be an error of the page.
            self.send_response(204)
            self.end_headers()
            return
        if path is None:
            self.send_error(404)
            return
        size = path.stat().st_size
        first, last = self._range(size)
        if first > last and size:
            self.send_error(416)
            return
        part = "Range" in self.headers
        self.send_response(206 if part else 200)
        self.send_header("Content-Type", TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream")
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "no-store")
        if part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        if self.command != "HEAD":
            # A page that was closed in the middle of a file is no error.
            with path.open("rb") as file, contextlib.suppress(ConnectionError):
                self._send(file, first, last - first + 1)

    do_HEAD = do_GET

    def end_headers(self) -> None:
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        super().end_headers()

    def _range(self, size: int) -> tuple[int, int]:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked:
            return 0, size - 1
        return int(asked[1]), min(int(asked[2] or size), size - 1)

    def _send(self, file: BinaryIO, first: int, left: int) -> None:
        file.seek(first)
        while left > 0 and (block := file.read(min(left, 1 << 20))):
            self.wfile.write(block)
            left -= len(block)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests read what a page got, not what was asked."""


class Server(ThreadingHTTPServer):
    """Serves each folder or file of `mounts` under its path ("/" is the last to be looked at)."""

    daemon_threads = True

    def __init__(self, mounts: Mapping[str, Path], headers: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.mounts = dict(sorted(mounts.items(), key=lambda mount: -len(mount[0])))
        self.headers = dict(headers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def file(self, path: str) -> Path | None:
        """The file that a path names, `index.html` for a folder; None when there is none or it lies outside its mount."""
        path = unquote(path)
        for prefix, root in self.mounts.items():
            if path == prefix and root.is_file():
                return root
            base = prefix.rstrip("/") + "/"
            if not path.startswith(base):
                continue
            found = (root / path[len(base) :]).resolve()
            if found.is_dir():
                found = found / "index.html"
            if found.is_file() and found.is_relative_to(root.resolve()):
                return found
        return None


@contextlib.contextmanager
def served(mounts: Mapping[str, Path], isolated: bool = False, cors: bool = False) -> Iterator[Server]:
    """A running server, closed at the end. `isolated` sends COOP and COEP, `cors` lets other origins import."""
    server = Server(mounts, {**(ISOLATION if isolated else {}), **(CORS if cors else {})})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
