"""One HTTP client for everything that is read online: redirects, tokens, waits and limits stand here and nowhere else.

Not huggingface_hub: it reads no Ollama registry, its header readers are one request a shard without bounds on what a server sends, and
its downloads keep no checksum of the parts. Names of headers are those of huggingface_hub 2.4.
"""

from __future__ import annotations

import copy
import hashlib
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from sizeup.errors import Unavailable, Unreadable
from sizeup.units import show_bytes

from . import addresses
from .waits import AGAIN, Patience, Stopped, Waiter, asked_s

if TYPE_CHECKING:
    import httpx2

REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 8
STRANGERS_TRIES = 2
"""How often a server that never answered is asked."""
JSON_LIMIT = 32 << 20
INSTALL = 'pip install ".[hub]" in the folder of sizeup'


class Body(NamedTuple):
    """A whole small answer."""

    content: bytes
    headers: Mapping[str, str]
    address: str
    """Where it came from in the end."""
    status: int


class Status(Exception):
    """The server answered, and it is not what was wanted."""

    def __init__(self, status: int, headers: Mapping[str, str], address: str, asked: float | None = None) -> None:
        super().__init__(f"{status} from {address}")
        self.status, self.headers, self.address, self.asked_s = status, headers, address, asked
        """`asked_s` holds the seconds that the server asks to wait."""


class Client:
    """Reads from one server, its home, and from where it sends on to. Usable from several threads.

    The token goes to the home's own origin (scheme, host and port) and to nobody else.
    """

    def __init__(
        self,
        home: str,
        token: str | None = None,
        *,
        patience: Patience | None = None,
        stop: threading.Event | None = None,
        told: Callable[[float, str], None] | None = None,
        resolve: addresses.Resolve = socket.getaddrinfo,
    ) -> None:
        self.home, self._token = home.rstrip("/"), token
        self._home = urlsplit(self.home)
        self.patience = patience or Patience()
        self.waiter = Waiter(stop, told)
        self._resolve = resolve
        self._proxies = frozenset(urllib.request.getproxies())
        self._session: httpx2.Client | None = None
        self._lock = threading.Lock()
        self._answers = threading.Event()

    def until(self, stop: threading.Event) -> Client:
        """The same client, whose waits end at another signal; its connections are shared."""
        self.session()
        other = copy.copy(self)
        other.waiter = Waiter(stop, self.waiter.told)
        return other

    @property
    def host(self) -> str:
        """The home's name, for sentences."""
        return self._home.netloc

    @property
    def whose(self) -> str:
        """Whose answers these are, so that no other account gets them: a digest of the token, never the token."""
        return hashlib.sha256(self._token.encode()).hexdigest() if self._token else ""

    @property
    def has_token(self) -> bool:
        return self._token is not None

    def close(self) -> None:
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def session(self) -> httpx2.Client:
        """The connections, made when they are first needed. Raises Unavailable without the package."""
        with self._lock:
            if self._session is None:
                try:
                    import httpx2
                except ImportError:
                    raise Unavailable("Reading online needs the package httpx2, which is not installed here.", INSTALL) from None
                from sizeup import __version__

                # Redirects are followed here by hand, as each new host must be looked at first.
                self._session = httpx2.Client(
                    follow_redirects=False,
                    timeout=httpx2.Timeout(self.patience.read_s, connect=self.patience.connect_s),
                    limits=httpx2.Limits(max_connections=32, max_keepalive_connections=16),
                    headers={"User-Agent": f"sizeup/{__version__}", "Accept-Encoding": "identity"},
                )
            return self._session

    @contextmanager
    def open(self, address: str, headers: Mapping[str, str] | None = None, again: bool = True) -> Iterator[httpx2.Response]:
        """An answer whose head is here and whose body is not read yet; statuses below 400 only.

        Asks again where that may help, and `again`. Raises Status, Unavailable, Stopped.
        """
        response = self._answered(address, headers or {}, again)
        try:
            yield response
        finally:
            with suppress(Exception):  # a connection that is already broken
                response.close()

    def fetch(self, address: str, headers: Mapping[str, str] | None = None, limit: int = JSON_LIMIT) -> Body:
        """A whole answer of at most `limit` bytes. Raises Status, Unavailable, and Unreadable for a longer one."""
        import httpx2

        failures = 0
        while True:
            try:
                with self.open(address, headers) as response:
                    content = self._whole(response, limit)
                    return Body(content, _plain(response), str(response.url), response.status_code)
            except httpx2.HTTPError as error:
                # The head came and the body broke off.
                failures += 1
                if failures >= self.patience.tries:
                    raise self.unreachable(address, error) from None
                self.waiter.wait(self.patience.backoff(failures), "broken")

    def _whole(self, response: httpx2.Response, limit: int) -> bytes:
        end = time.monotonic() + self.patience.whole_s
        pieces, length = [], 0
        for piece in response.iter_bytes(1 << 16):
            pieces.append(piece)
            length += len(piece)
            if length > limit:
                raise Unreadable(
                    f"{response.url.host} sends more than {show_bytes(limit)} where little was asked for.", "another address or mirror"
                )
            if time.monotonic() > end:
                raise Unavailable(
                    f"{response.url.host} sends too slowly: stopped after {self.patience.whole_s:.0f} seconds.", "again later"
                )
            if self.waiter.stop.is_set():
                raise Stopped
        return b"".join(pieces)

    def _answered(self, address: str, headers: Mapping[str, str], again: bool) -> httpx2.Response:
        import httpx2

        failures = 0
        while True:
            if self.waiter.stop.is_set():
                raise Stopped
            try:
                response = self._followed(address, headers)
            except httpx2.TransportError as error:
                failures += 1
                # Before anything ever answered it is likelier that there is no network than that it comes back in seconds.
                tries = self.patience.tries if self._answers.is_set() else min(self.patience.tries, STRANGERS_TRIES)
                if not again or failures >= tries:
                    raise self.unreachable(address, error) from None
                self.waiter.wait(self.patience.backoff(failures), "unreachable")
                continue
            self._answers.set()
            status = response.status_code
            if status < 400:
                return response
            plain, seconds = _plain(response), asked_s(_plain(response), status)
            response.close()
            failures += 1
            patient = seconds is None or seconds <= self.patience.longest_asked_s
            if status not in AGAIN or not again or failures >= self.patience.tries or not patient:
                raise Status(status, plain, str(response.url), seconds)
            self.waiter.wait(self.patience.backoff(failures) if seconds is None else seconds, "busy" if status == 429 else "failing")

    def _followed(self, address: str, headers: Mapping[str, str]) -> httpx2.Response:
        """One try, through all redirects."""
        import httpx2

        before = urlsplit(address)
        for _ in range(MOST_REDIRECTS):
            parts = urlsplit(address)
            self._check(parts, before)
            own = addresses.origin(parts) == addresses.origin(self._home)
            given = {**headers, "Authorization": f"Bearer {self._token}"} if own and self._token else dict(headers)
            session = self.session()
            response = session.send(session.build_request("GET", address, headers=given), stream=True)
            self._check_reached(response, parts)
            if response.status_code not in REDIRECTS:
                return response
            target = response.headers.get("location", "")
            response.close()
            if not target or len(target) > 8192:
                raise Unavailable(f"{parts.hostname} sends on to nowhere.", "again later, or another mirror")
            before, address = parts, urljoin(address, target)
        raise httpx2.TooManyRedirects(f"more than {MOST_REDIRECTS} redirects")

    def _check(self, parts: SplitResult, before: SplitResult) -> None:
        """Refuse an address that no answer may lead to."""
        try:
            port = addresses.origin(parts)[2]
        except ValueError:
            raise Unavailable(f"{before.hostname} sends on to an address with an impossible port.", "another mirror") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise Unavailable(
                f"{before.hostname} sends on to {parts.scheme[:20]}://{(parts.hostname or '')[:80]}: not followed.", "another mirror"
            )
        if before.scheme == "https" and parts.scheme == "http":
            raise Unavailable(f"{before.hostname} sends on to {parts.hostname} without encryption: not followed.", "another mirror")
        if not self._is_home(parts):
            addresses.check(parts.hostname, port, self._by_proxy(parts.scheme), self._resolve)

    def _check_reached(self, response: httpx2.Response, parts: SplitResult) -> None:
        """A name may resolve to another address a moment later: look at the one that was really connected to."""
        stream = response.extensions.get("network_stream")
        if self._is_home(parts) or self._by_proxy(parts.scheme) or stream is None:
            return
        reached = stream.get_extra_info("server_addr")
        if reached and not addresses.fair(parts.hostname or "", str(reached[0])):
            response.close()
            raise addresses.refused(parts.hostname or "", str(reached[0]))

    def _is_home(self, parts: SplitResult) -> bool:
        return (parts.hostname or "").lower() == (self._home.hostname or "").lower()

    def _by_proxy(self, scheme: str) -> bool:
        return bool(self._proxies & {scheme, "all"})

    def unreachable(self, address: str, error: Exception) -> Unavailable:
        """The error for a server that does not answer, in words."""
        host = urlsplit(address).hostname
        reason = str(error).strip().rstrip(".")[:120] or type(error).__name__
        return Unavailable(f"{host} cannot be reached ({reason}).", "again with a network, or --offline for the catalogue alone")


def _plain(response: httpx2.Response) -> dict[str, str]:
    """The headers with names in lower case."""
    return {name.lower(): value for name, value in response.headers.items()}
