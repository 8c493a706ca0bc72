"""A streamed answer, however a network cuts it."""

from __future__ import annotations

import http.client
import itertools
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizeup.servers.stream import blocks


class Cut:
    """An answer whose bytes come in these pieces."""

    def __init__(self, pieces: list[bytes], chunked: bool = True) -> None:
        self.chunked, self.fp, self._pieces = chunked, self, iter(pieces)

    def read1(self, most: int) -> bytes:
        return next(self._pieces, b"")


def content(pieces: list[bytes], chunked: bool = True) -> bytes:
    found: Iterator[bytes] = blocks(cast(http.client.HTTPResponse, cast(Any, Cut(pieces, chunked))))
    return b"".join(found)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.lists(st.integers(0, 400), max_size=12), st.booleans())
def test_chunks_are_joined_wherever_they_are_cut(said: list[bytes], cuts: list[int], ended: bool) -> None:
    """What lies in the chunks comes out, whatever was read at once, also where the last chunk never came."""
    raw = b"".join(b"%x;note=1\r\n%b\r\n" % (len(one), one) for one in said) + (b"0\r\n\r\n" if ended else b"")
    at = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    assert content([raw[first:last] for first, last in itertools.pairwise(at)]) == b"".join(said)


def test_without_chunks_all_is_content() -> None:
    assert content([b"5\r\n", b"data"], chunked=False) == b"5\r\ndata"


@pytest.mark.parametrize("raw", [b"-5\r\nhello\r\n", b"hello\r\n", b"1" * 100, b"5\r\nhellothere\r\n"])
def test_what_is_no_chunk_is_refused(raw: bytes) -> None:
    """A size that is none, one without an end, content behind the chunk."""
    with pytest.raises(http.client.HTTPException):
        content([raw])
