"""What every request must be before anything answers it: addressed to this server, from no foreign page, and small.

A page of any site can make a browser send requests to 127.0.0.1, and can point a name of its own there (DNS rebinding). So the
Host header must be a name that this server is known by, and a foreign Origin is refused wherever something is sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from .failures import failure
from .limits import LARGEST_BODY, LONGEST_QUERY
from .serving import LOOPBACK, Serving

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

WITH_BODY = ("POST", "PUT", "PATCH", "DELETE")


def hosts(serving: Serving) -> frozenset[str]:
    """Names that a Host header may say: the address that is bound, every spelling of loopback for loopback, and the names given."""
    names = {serving.host.lower(), *(name.lower() for name in serving.names)}
    if serving.loopback or serving.host in ("0.0.0.0", "::"):
        names |= set(LOOPBACK)
    return frozenset(names)


def host_name(header: str) -> str:
    """The name in a Host header, without its port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.rpartition(":")[0].lower() if ":" in header else header.lower()


class Guard:
    """Refuses what must not be answered; adds the headers that every answer has."""

    def __init__(self, app: App, serving: Serving) -> None:
        self.app, self.serving, self.hosts = app, serving, hosts(serving)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in reversed(scope["headers"])}
        origin = headers.get(b"origin", "")
        refusal = self.refusal(scope, headers)
        if refusal is None and scope["method"] == "OPTIONS" and origin in self.serving.cors:
            # A browser asks before a page of another origin may send something.
            refusal = Response(b"", 204, {"access-control-allow-methods": "GET, POST", "access-control-allow-headers": "content-type"})
            send = _shared(send, origin)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send if origin not in self.serving.cors else _shared(send, origin))

    def refusal(self, scope: Scope, headers: dict[bytes, str]) -> Any:
        """The answer to a request that must not go further; None for one that may."""
        host = headers.get(b"host", "")
        if host_name(host) not in self.hosts:
            return failure(421, f"This server is not called “{host[:100]}”.", "the address that it printed when it started, or --name")
        if len(scope["query_string"]) > LONGEST_QUERY:
            return failure(413, f"The question has {len(scope['query_string']):,} characters.", f"at most {LONGEST_QUERY:,}")
        length = headers.get(b"content-length", "0")
        if not length.isdigit() or int(length[:20]) > LARGEST_BODY:
            return failure(413, f"The request claims a body of {length[:20]} bytes.", f"at most {LARGEST_BODY:,}")
        if scope["method"] in WITH_BODY and not self._own(headers, host):
            return failure(403, "A page of another origin may not send anything to this server.", "sizeup serve --cors ORIGIN")
        return None

    def _own(self, headers: dict[bytes, str], host: str) -> bool:
        """Whether a request comes from this server's own page, from one that was allowed, or from no page at all."""
        origin = headers.get(b"origin")
        if origin is None:
            return headers.get(b"sec-fetch-site", "none") in ("none", "same-origin")
        return origin in self.serving.cors or urlsplit(origin).netloc.lower() == host.lower()


def _shared(send: Send, origin: str) -> Send:
    """Answers that pages of this origin may read."""

    async def shared(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"access-control-allow-origin", origin.encode()), (b"vary", b"origin")]
        await send(message)

    return shared
