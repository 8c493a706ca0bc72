"""A JSON object from a stranger, entry by entry: memory follows the largest entry, never the whole, and nesting is not followed.

Headers and indexes of checkpoints are flat tables of up to 100,000 entries. A parser that takes the whole text at once turns
a hostile megabyte into a hundred; this one holds one entry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .ranges import Cursor

# Possessive throughout: on text that is no such entry each pattern gives up in one pass.
_STRING = rb'"(?:[^"\\\x00-\x1f]++|\\.)*+"'
_SPACE = rb"[ \t\r\n]*+"
_FLAT = rb'\{(?:[^{}"]++|' + _STRING + rb")*+\}"
_WORD = rb"(?:true|false|null|-?[0-9][0-9.eE+-]*+)"
ENTRY = re.compile(_SPACE + rb"(" + _STRING + rb")" + _SPACE + rb":" + _SPACE + rb"(" + _FLAT + rb"|" + _STRING + rb"|" + _WORD + rb")")
PAIR = re.compile(_SPACE + rb"(" + _STRING + rb")" + _SPACE + rb":" + _SPACE + rb"(" + _STRING + rb")" + _SPACE + rb"([,}])")


class NotJson(ValueError):
    """The text is no flat JSON object; the message says where and why."""


def entries(cursor: Cursor, end: int, largest: int, inside: str = "") -> Iterator[tuple[str, str, bytes]]:
    """("", key, raw value) of each entry of the object that spans the source up to `end`, none longer than `largest` bytes.

    The entries of the object under the key `inside` come one by one too, as (inside, key, raw value).
    Raises NotJson, for a key that stands twice too. Not checked: the inside of a value, which the caller parses.
    """
    _demand(cursor, end, b"{")
    opening = re.compile(_SPACE + rb'"' + inside.encode() + rb'"' + _SPACE + rb":" + _SPACE + rb"\{") if inside else None
    seen: set[str] = set()
    empty = _peek(cursor, end) == b"}"
    while not empty:
        match = opening.match(cursor.buffer, cursor.at) if opening else None
        if match is not None:
            if inside in seen:
                raise NotJson(f"{inside!r} stands twice")
            seen.add(inside)
            cursor.at = match.end()
            for key, value in _object(cursor, end, largest, set()):
                yield inside, key, value
        else:
            yield "", *_entry(cursor, end, largest, seen)
        if _peek(cursor, end) == b"}":
            break
        _demand(cursor, end, b",")
        _peek(cursor, end)
    _demand(cursor, end, b"}")
    while cursor.offset < end:
        cursor.need(1)
        rest = cursor.buffer[cursor.at : cursor.at + end - cursor.offset]
        if rest.strip(b" \t\r\n\0"):
            raise NotJson(f"after byte {cursor.offset:,} something follows its end")
        cursor.at += len(rest)


def _object(cursor: Cursor, end: int, largest: int, seen: set[str]) -> Iterator[tuple[str, bytes]]:
    """The entries of an object whose brace is open already, up to and with its closing one."""
    if _peek(cursor, end) != b"}":
        yield _entry(cursor, end, largest, seen)
        while _peek(cursor, end) == b",":
            cursor.at += 1
            yield _entry(cursor, end, largest, seen)
    _demand(cursor, end, b"}")


def _entry(cursor: Cursor, end: int, largest: int, seen: set[str]) -> tuple[str, bytes]:
    match = _grown(cursor, end, largest)
    if match is None:
        raise NotJson(f"at byte {cursor.offset:,} there is no “name”: value")
    key = text(match[1])
    cursor.at = match.end()
    if key in seen:
        raise NotJson(f"{key[:80]!r} stands twice")
    seen.add(key)
    return key, match[2]


def _grown(cursor: Cursor, end: int, largest: int) -> re.Match[bytes] | None:
    """The next entry, read as far as needed; None where there is none. A number must not touch the edge of what was read."""
    wanted = 1 << 12
    while True:
        left = end - cursor.offset
        wanted = min(wanted, left)
        cursor.need(wanted)
        stop = min(len(cursor.buffer), cursor.at + left)
        match = ENTRY.match(cursor.buffer, cursor.at, stop)
        if match is not None and (match.end() < stop or stop - cursor.at == left):
            return match if match.end() - match.start() <= largest else None
        if stop - cursor.at >= min(left, largest):
            return None
        wanted = max(2 * (stop - cursor.at), wanted)


def _peek(cursor: Cursor, end: int) -> bytes:
    """The next byte that is no space, with the cursor on it; empty where there is none within a kilobyte."""
    left = end - cursor.offset
    # A key and its opening brace lie in what is read here.
    cursor.need(min(1 << 10, left))
    piece = cursor.buffer[cursor.at : cursor.at + min(1 << 10, left)]
    rest = piece.lstrip(b" \t\r\n")
    cursor.at += len(piece) - len(rest)
    return rest[:1]


def _demand(cursor: Cursor, end: int, mark: bytes) -> None:
    if _peek(cursor, end) != mark:
        raise NotJson(f"at byte {cursor.offset:,} there is no {mark.decode()}")
    cursor.at += 1


def pairs(value: bytes, limit: int) -> Iterator[tuple[str, str]]:
    """The entries of an object of texts. Raises NotJson for anything else, and for more than `limit` of them."""
    at = 1
    if re.fullmatch(rb"\{" + _SPACE + rb"\}", value):
        return
    for _ in range(limit):
        match = PAIR.match(value, at)
        if match is None:
            raise NotJson(f"its entry {value[at : at + 40].decode('utf-8', 'replace')!r} is no pair of texts")
        yield text(match[1]), text(match[2])
        at = match.end()
        if match[3] == b"}":
            return
    raise NotJson(f"it has more than {limit:,} entries")


def text(quoted: bytes) -> str:
    """A quoted JSON text. Raises NotJson."""
    try:
        return quoted[1:-1].decode() if b"\\" not in quoted else str(json.loads(quoted))
    except ValueError:
        raise NotJson(f"{quoted[:40]!r} is no text") from None


def flat(value: bytes) -> dict[str, Any]:
    """A small object, parsed whole. Raises NotJson, for NaN and for a key that stands twice too."""
    try:
        return json.loads(value, object_pairs_hook=_unique, parse_constant=_refuse)  # type: ignore[no-any-return]
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error) if isinstance(error, NotJson) else "one of its entries is not JSON") from None


def _unique(found: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(found)
    if len(table) != len(found):
        raise NotJson("a field of an entry stands twice")
    return table


def _refuse(word: str) -> Any:
    raise NotJson(f"it holds {word}, which is no number")
