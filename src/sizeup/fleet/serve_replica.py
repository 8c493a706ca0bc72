"""One replica of a served model: the embedded llama.cpp's own server in a child process, and what hands it Ray Serve's requests.

Ray starts it, watches over it, and ends it when its requests have ended. A node that runs one needs sizeup with its engine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

from ..engines.llamacpp.server import served

PATHS = {
    ("GET", "/health"),
    ("GET", "/v1/models"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/completions"),
    ("POST", "/v1/embeddings"),
}
"""What anybody may ask; the engine's other paths tell of its slots and settings."""

READ_BYTES = 64 * 1024


class Replica:
    """A class that Ray Serve makes and calls."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._held = ExitStack()
        self._server = self._held.enter_context(served(job))
        self._session: Any = None

    async def __call__(self, request: Any) -> Any:
        """The engine's answer to a request, piece by piece as it is made."""
        import aiohttp
        from starlette.responses import JSONResponse, StreamingResponse

        # Under a prefix of its own the path that is asked for begins with it.
        path = request.url.path.removeprefix(request.scope.get("root_path", "")) or "/"
        if (request.method, path) not in PATHS:
            error = {"message": f"There is no {request.method} {path} here.", "type": "not_found_error", "code": 404}
            return JSONResponse({"error": error}, status_code=404)
        if self._session is None:
            # An answer may take as long as it takes; who asks decides when to leave.
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        headers = {"Content-Type": request.headers.get("content-type", "application/json")}
        answer = await self._session.request(request.method, self._server.address + path, data=await request.body(), headers=headers)
        return StreamingResponse(pieces(answer), answer.status, media_type=answer.content_type)

    def check_health(self) -> None:
        """Ray asks this: a replica whose engine ended is replaced."""
        if not self._server.alive():
            raise RuntimeError("the engine ended")

    def __del__(self) -> None:
        held = getattr(self, "_held", None)
        if held is not None:
            held.close()


async def pieces(answer: Any) -> AsyncIterator[bytes]:
    """A body as it comes; when whoever asked is gone, the engine is told by a closed connection and stops."""
    try:
        async for piece in answer.content.iter_any():
            yield piece
    finally:
        answer.close()
