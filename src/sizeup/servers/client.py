"""One HTTP server on this machine, asked with a time limit and a limit of size. Redirects are not followed, no proxy is used."""

from __future__ import annotations

import http.client
import io
import ipaddress
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit

from sizeup.errors import Unavailable, UserError

from .stream import blocks

LARGEST_ANSWER = 64 << 20
LONGEST_LINE = 1 << 20
ASK_SECONDS = 2.0
"""A server of this machine that takes longer to say what it holds is not asked further."""


class Server:
    """Where a server listens. Raises UserError for an address that is none."""

    def __init__(self, base: str, what: str = "a server", seconds: float = ASK_SECONDS, token: str = "") -> None:
        text = base.strip().rstrip("/")
        try:
            parts = urlsplit(text if "://" in text or text.endswith(":") else f"http://{text}")
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1 or parts.username or parts.query:
            raise UserError(f"“{base[:80]}” is not the address of a server.", "http://127.0.0.1:8080")
        # Who listens everywhere is reached here.
        self.host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(parts.hostname, parts.hostname)
        self.secure = parts.scheme == "https"
        self.port = port or (443 if self.secure else 80)
        self.path = parts.path.rstrip("/")
        self.what, self.seconds, self.token = what, seconds, token

    @property
    def base(self) -> str:
        """The address as a person types it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}{self.path}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can be meant."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def ask(self, path: str, body: Any = None, method: str = "", seconds: float | None = None, empty: bool = False) -> Any:
        """The JSON at a path; with a body it is a POST; `empty` where no answer is expected. Raises Unavailable when nobody answers, or not
        with JSON, or with an error."""
        with self._answer(path, body, method, seconds) as answer:
            content = answer.read(LARGEST_ANSWER + 1)
        if len(content) > LARGEST_ANSWER:
            raise Unavailable(f"{self.base} answers {path} without an end.", "the address of another server")
        if empty and not content:
            return None
        try:
            return json.loads(content)
        except ValueError:
            raise self.not_meant(path) from None

    def send(self, path: str, file: Path, seconds: float = 600.0) -> None:
        """POST a file as it is, piece by piece. Raises what `ask` raises."""
        with file.open("rb") as body, self._answer(path, body, "POST", seconds) as answer:
            answer.read(LARGEST_ANSWER)

    def lines(self, path: str, body: Any, seconds: float = 600.0) -> Iterator[bytes]:
        """The lines of a streamed answer as they come. Raises what `ask` raises, and Unavailable when it breaks off."""
        for lines in self.line_blocks(path, body, seconds):
            yield from lines

    def line_blocks(self, path: str, body: Any, seconds: float = 600.0, every_s: float = 0.0) -> Iterator[list[bytes]]:
        """The same, those together that came together; with `every_s` nobody looks oftener than that."""
        with self._answer(path, body, "", seconds) as answer:
            rest = b""
            for block in blocks(answer, every_s):
                *whole, rest = (rest + block).split(b"\n")
                if whole:
                    yield [line.rstrip(b"\r") for line in whole]
                if len(rest) > LONGEST_LINE:
                    raise self.not_meant(path)
            if rest:
                yield [rest]

    def not_meant(self, path: str) -> Unavailable:
        """The error of a server that is up and is not the one that was meant."""
        return Unavailable(f"{self.base} answers, but {path} is not what {self.what} says.", "the address of another server")

    @contextmanager
    def _answer(self, path: str, body: Any, method: str, seconds: float | None) -> Iterator[http.client.HTTPResponse]:
        kind = http.client.HTTPSConnection if self.secure else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=seconds or self.seconds)
        headers = {"accept": "application/json", **({"authorization": f"Bearer {self.token}"} if self.token else {})}
        sent: bytes | IO[bytes] | None = None
        if isinstance(body, io.IOBase):
            sent = cast(IO[bytes], body)
            headers |= {"content-type": "application/octet-stream", "content-length": str(os.fstat(body.fileno()).st_size)}
        elif body is not None:
            sent = json.dumps(body).encode()
            headers["content-type"] = "application/json"
        try:
            connection.request(method or ("GET" if sent is None else "POST"), self.path + path, sent, headers)
            with connection.getresponse() as answer:
                if answer.status >= 400:
                    raise self._failure(path, answer.status, answer.read(4096))
                if answer.status >= 300:
                    raise self.not_meant(path)
                yield answer
        except TimeoutError:
            raise Unavailable(f"{self.base} does not answer in {seconds or self.seconds:g} s.", "again when it has less to do") from None
        except http.client.HTTPException:
            raise self.not_meant(path) from None
        except OSError as error:
            raise Unavailable(f"Nothing answers at {self.base}: {error.strerror or error}.", f"start {self.what} first") from None
        finally:
            connection.close()

    def _failure(self, path: str, status: int, content: bytes) -> Unavailable:
        if status == 404:
            return self.not_meant(path)
        said = _said(content)
        if not said:
            return Unavailable(f"{self.base} refuses {path} with status {status}.", "its log")
        return Unavailable(f"{self.base} refuses {path}: {said}.", "its log")


def _said(content: bytes) -> str:
    """What a server's error says, in one line."""
    try:
        found = json.loads(content)
    except ValueError:
        return ""
    error = found.get("error") if isinstance(found, dict) else None
    words = error.get("message") if isinstance(error, dict) else error
    return " ".join(words.split())[:300].rstrip(".") if isinstance(words, str) else ""
