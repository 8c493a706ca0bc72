"""A streamed answer as it comes: what lies ready is read at once, so that a token costs its reader little."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator

BLOCK = 1 << 16
LONGEST_SIZE = 64
"""Of the line before a chunk: a number and, rarely, a word."""


def blocks(answer: http.client.HTTPResponse, every_s: float = 0.0) -> Iterator[bytes]:
    """The content, a read each; between two reads so many seconds pass. Ends also where the server breaks off.

    Raises HTTPException for chunks that are none. http.client's own reader takes a chunk by four calls, and a token is a chunk.
    """
    received = _received(answer, every_s)
    return _content(received) if answer.chunked else received


def _received(answer: http.client.HTTPResponse, every_s: float) -> Iterator[bytes]:
    while block := answer.fp.read1(BLOCK):
        yield block
        if every_s:
            time.sleep(every_s)


def _content(received: Iterator[bytes]) -> Iterator[bytes]:
    """What lies in the chunks (RFC 9112, 7.1)."""
    waiting, left = b"", 0
    for block in received:
        waiting += block
        found: list[bytes] = []
        while waiting:
            if not left:
                line, ended, rest = waiting.partition(b"\n")
                if len(line) > LONGEST_SIZE:
                    raise http.client.HTTPException("no chunk")
                if not ended:
                    break
                waiting = rest
                if not line.strip():  # the end of the line behind a chunk
                    continue
                left = _size(line)
                if not left:
                    yield b"".join(found)
                    return
            found.append(waiting[:left])
            waiting = waiting[left:]
            left -= len(found[-1])
        if found:
            yield b"".join(found)


def _size(line: bytes) -> int:
    try:
        size = int(line.partition(b";")[0], 16)
    except ValueError:
        size = -1
    if size < 0:
        raise http.client.HTTPException("no chunk")
    return size
