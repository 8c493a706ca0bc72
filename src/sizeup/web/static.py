"""The page's files: read once, compressed once, served with a strong ETag and the headers that keep them safe."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
COMPRESSED = (".html", ".js", ".mjs", ".css", ".json", ".svg", ".txt", ".webmanifest", ".wasm", ".md")
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".webmanifest": "application/manifest+json", ".wasm": "application/wasm"}

PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
BROWSER_POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' blob:; worker-src 'self' blob:; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self' blob: https:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The browser page compiles WebAssembly, starts workers from blobs and, on a click, downloads from the Hub."""
SAFE = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cross-origin-resource-policy": "same-origin"}
ISOLATED = {"cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp"}
"""Without these a page has no shared memory, and so no threads."""


class File(NamedTuple):
    """One file in memory."""

    body: bytes
    gzipped: bytes
    """Empty where it would not be smaller."""
    kind: str
    etag: str


class Files:
    """A folder of the package, read at start. What is not in it does not exist, whatever a path says."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.files = {
            "/" + path.relative_to(folder).as_posix(): _read(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name[0] != "."
        }

    async def answer(self, request: Any) -> Any:
        """The file at a request's path; a folder's is its index.html."""
        path: str = request.scope["path"]
        file = self.files.get(path + "index.html" if path.endswith("/") else path)
        if file is None:
            if path + "/index.html" in self.files:
                return Response(b"", 308, {"location": path.lstrip("/").rpartition("/")[2] + "/"})
            return Response(b"There is no such file.\n", 404, SAFE, "text/plain")
        return answered(file, request.headers, path.startswith("/browser/"))


def answered(file: File, asked: Mapping[str, str], isolated: bool) -> Any:
    """A file as a response, or that the client has it already."""
    packed = bool(file.gzipped) and "gzip" in asked.get("accept-encoding", "")
    # A strong ETag names these very bytes, and so the compressed ones have their own.
    etag = f'"{file.etag}{"-gz" if packed else ""}"'
    headers = {
        **SAFE,
        "etag": etag,
        "cache-control": "no-cache",
        "vary": "accept-encoding",
        "content-security-policy": BROWSER_POLICY if isolated else PAGE_POLICY,
        **(ISOLATED if isolated else {}),
    }
    if etag in [tag.strip() for tag in asked.get("if-none-match", "").split(",")]:
        return Response(b"", 304, headers)
    if packed:
        headers["content-encoding"] = "gzip"
    return Response(file.gzipped if packed else file.body, 200, headers, file.kind)


def _read(path: Path) -> File:
    body = path.read_bytes()
    packed = gzip.compress(body, 9, mtime=0) if path.suffix in COMPRESSED else b""
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(body, packed if len(packed) < len(body) else b"", kind, hashlib.sha256(body).hexdigest()[:32])
