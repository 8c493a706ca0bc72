"""A client of the server within this process: an ASGI call without sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sizeup.web.guard import App
from tests.loops import finished


class Reply(NamedTuple):
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Sends requests to an application, as the page of its own origin would."""

    def __init__(self, app: App, host: str = "127.0.0.1:8780") -> None:
        self.app, self.host = app, host

    def get(self, target: str, **headers: str) -> Reply:
        return self.send("GET", target, **headers)

    def send(self, method: str, target: str, body: bytes = b"", **headers: str) -> Reply:
        """`target` is a path with its query, as it stands in a request line; headers have `_` for `-`."""
        named = {"host": self.host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return finished(self._send(method, target, body, named))

    async def _send(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        from urllib.parse import unquote

        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 40000),
            "server": ("127.0.0.1", 8780),
        }
        pieces = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            if pieces:
                return pieces.pop()
            await asyncio.sleep(3600)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        head = sent[0]
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return Reply(head["status"], {name.decode(): value.decode() for name, value in head["headers"]}, body)
