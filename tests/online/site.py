"""A web server of a test: answers from memory, ranges and ETags as RFC 9110 has them, and breaks in every way that networks break.

Runs on the loopback address in threads of the test's own process.
"""

from __future__ import annotations

import hashlib
import http.server
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Asked:
    """One request as it came in."""

    path: str
    headers: dict[str, str]


@dataclass
class Fault:
    """What goes wrong with the next `times` answers whose path holds `on`."""

    on: str
    kind: str
    """status, cut, slow, short, long, no_range, wrong_range, etag, gzip, poison, stall, redirect, huge."""
    times: int = 1
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    after: int = 0
    """Bytes of the body that still arrive (cut, stall; shorter answers stay whole), or the place of the poisoned byte in the file."""
    to: str = ""


@dataclass
class Answer:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ranged: bool = False
    """Whether a Range header is honoured."""


class Site:
    """One server on a port of its own. `answer` says what a path holds; everything asked is written down."""

    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.sent_bytes = 0
        self.cuts = 0
        """Answers that were cut in the middle."""
        self._lock = threading.Lock()
        self._over = threading.Event()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site._serve(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def paths(self, part: str = "") -> list[str]:
        """Paths that were asked for, in order."""
        return [asked.path for asked in self.asked if part in asked.path]

    def _fault(self, path: str, length: int) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.on in path and fault.times and (fault.kind not in ("cut", "stall") or fault.after < length):
                    fault.times -= 1
                    self.cuts += fault.kind == "cut"
                    return fault
        return None

    def _serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        asked = Asked(handler.path, {name.lower(): value for name, value in handler.headers.items()})
        with self._lock:
            self.asked.append(asked)
        answer = self.answer(asked)
        fault = self._fault(asked.path, len((ranged(answer, asked) if answer.ranged else answer).body))
        if fault is not None and fault.kind == "status":
            answer = Answer(fault.status, dict(fault.headers), b"{}")
        if fault is not None and fault.kind == "redirect":
            answer = Answer(302, {"Location": fault.to})
        if fault is not None and fault.kind == "poison" and answer.body:
            body = bytearray(answer.body)
            body[fault.after] ^= 0x20
            answer.body = bytes(body)
        if answer.ranged and not (fault and fault.kind == "no_range"):
            answer = ranged(answer, asked)
        if fault is not None:
            spoil(answer, fault)
        with suppress(OSError):
            self._send(handler, answer, fault)

    def _send(self, handler: http.server.BaseHTTPRequestHandler, answer: Answer, fault: Fault | None) -> None:
        length = len(answer.body)
        if fault is not None and fault.kind == "short":
            length += 7
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        body = answer.body
        if fault is not None and fault.kind in ("cut", "stall"):
            body = body[: fault.after]
        step = 1 if fault is not None and fault.kind == "slow" else 1 << 15
        for start in range(0, len(body), step):
            handler.wfile.write(body[start : start + step])
            with self._lock:
                self.sent_bytes += len(body[start : start + step])
            if step == 1 and self._over.wait(0.02):
                return
        if fault is not None and fault.kind == "stall":
            self._over.wait(30)
        if fault is not None and fault.kind in ("cut", "short", "stall"):
            handler.close_connection = True
            with suppress(OSError):
                # Nothing polite: the peer sees the connection reset.
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                handler.connection.shutdown(socket.SHUT_RDWR)


def ranged(answer: Answer, asked: Asked) -> Answer:
    """The part that was asked for, with If-Range and 416 as RFC 9110 has them."""
    headers = {**answer.headers, "Accept-Ranges": "bytes"}
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("range", ""))
    if found is None or asked.headers.get("if-range", headers.get("ETag")) != headers.get("ETag"):
        return Answer(200, headers, answer.body)
    whole = len(answer.body)
    first, last = int(found[1]), min(int(found[2] or whole - 1), whole - 1)
    if first >= whole:
        return Answer(416, {**headers, "Content-Range": f"bytes */{whole}"})
    return Answer(206, {**headers, "Content-Range": f"bytes {first}-{last}/{whole}"}, answer.body[first : last + 1])


def spoil(answer: Answer, fault: Fault) -> None:
    """Make an answer wrong in the way the fault says."""
    if fault.kind == "wrong_range" and "Content-Range" in answer.headers:
        answer.headers["Content-Range"] = "bytes 1-5/999"
    elif fault.kind == "etag":
        answer.headers["ETag"] = '"another"'
    elif fault.kind == "gzip":
        import gzip

        answer.body = gzip.compress(answer.body)
        answer.headers["Content-Encoding"] = "gzip"
    elif fault.kind == "long":
        answer.body += b"\0" * 4096
    elif fault.kind == "huge":
        answer.body = b" " * (40 << 20)


@contextmanager
def serving(answer: Callable[[Asked], Answer]) -> Iterator[Site]:
    """A site for the length of a test."""
    site = Site(answer)
    try:
        yield site
    finally:
        site.close()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git_oid(content: bytes) -> str:
    """Git's name of a file that is not in LFS."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def soon(met: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something comes true before patience ends."""
    end = time.monotonic() + seconds
    while not met():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
