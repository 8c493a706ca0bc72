"""What text is drawn on: a width in terminal cells, colours or none, a language and units. Pure: text in, text out."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from sizeup.i18n import Texts
from sizeup.units import show_bytes

WIDTH = 80
"""The width that every answer fits into; narrower terminals get fewer columns, wider ones longer bars up to WIDEST."""
WIDEST = 100

_CODES = {
    "good": "1;32",
    "bad": "1;31",
    "warn": "33",
    "strong": "1",
    "dim": "2",
    "weights": "34",
    "repacked": "36",
    "cache": "35",
    "state": "95",
    "compute": "33",
    "output": "93",
    "projector": "32",
    "adapter": "92",
    "draft": "96",
    "process": "37",
    "overhead": "37",
    "gradients": "36",
    "optimizer": "35",
    "master": "95",
    "activations": "33",
    "logits": "93",
    "buffers": "32",
    "command": "1",
}

_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_STEERING = re.compile(r"\x1b\[[0-9;]*m|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Colours, and characters that move the cursor, clear the screen or turn the direction of writing."""
_CLOSING = set("，。、；：！？）」』》】〉％…,.;:!?)]}%")
_OPENING = set("（「『《【〈([{")


class Page(NamedTuple):
    """How to draw: `texts` is the language, `width` is in cells, `units` is "iec" or "si"."""

    texts: Texts
    width: int = WIDTH
    colour: bool = False
    units: str = "iec"

    def paint(self, text: str, style: str) -> str:
        """The text in a style's colour, or as it is on a page without colours."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.colour and text and style in _CODES else text

    def bytes(self, count: int | float) -> str:
        """A size in the units of this page."""
        return show_bytes(count, self.units)


def harmless(text: str, colours: bool = False) -> str:
    """The text without what would steer a terminal; `colours` keeps those that a page paints. Names of files and models are other people's."""
    if text.isprintable():
        return text
    return _STEERING.sub(lambda found: found[0] if colours and len(found[0]) > 1 else "\ufffd", text)


def one_line(name: str) -> str:
    """A name as it may stand in a row: harmless, and its line ends and tabs are seen for what they are."""
    return name if name.isprintable() else harmless(name.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t"))


def cells(text: str) -> int:
    """Terminal cells that a text takes: two for East Asian wide characters, none for escapes and combining marks."""
    bare = _ESCAPE.sub("", text) if "\x1b" in text else text
    return len(bare) if bare.isascii() else sum(map(_cell, bare))


def _cell(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def pad(text: str, width: int) -> str:
    """Spaces after the text up to `width` cells."""
    return text + " " * (width - cells(text))


def right(text: str, width: int) -> str:
    """Spaces before the text up to `width` cells."""
    return " " * (width - cells(text)) + text


def cut(text: str, width: int) -> str:
    """The text in at most `width` cells, with an ellipsis where something is lost."""
    if cells(text) <= width:
        return text
    kept, used = "", 0
    for char in text:
        if used + _cell(char) > width - 1:
            break
        kept, used = kept + char, used + _cell(char)
    return kept.rstrip() + "…" if width > 0 else ""


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells. Breaks at spaces and between East Asian characters, never before closing punctuation."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for piece in _pieces(paragraph):
            if line and cells(line) + cells(piece.rstrip()) > width:
                lines.append(line.rstrip())
                line = ""
            piece = piece if line else piece.lstrip()
            while cells(piece.rstrip()) > width:  # a word longer than the line, such as a path
                head = cut(piece, width + 1)[:-1] or piece[:1]
                lines.append(head)
                piece = piece[len(head) :]
            line += piece
        lines.append(line.rstrip())
        _mend_widow(lines)
    return lines


def _mend_widow(lines: list[str]) -> None:
    """Take one more East Asian character down when the last line would be a single one, since words there have two or more."""
    if len(lines) > 1 and lines[-1] and cells(lines[-1].rstrip("".join(_CLOSING))) <= 2 and lines[-2] and _cell(lines[-2][-1]) == 2:
        lines[-2:] = [lines[-2][:-1], lines[-2][-1] + lines[-1]]


def _pieces(text: str) -> list[str]:
    """Runs that may not be broken, each with the spaces after it."""
    pieces: list[str] = []
    last = ""
    for char in text:
        breakable = bool(last) and (
            (last == " " and char != " ")
            or ((_cell(char) == 2 or _cell(last) == 2) and char != " " and char not in _CLOSING and last not in _OPENING)
        )
        if breakable or not pieces:
            pieces.append(char)
        else:
            pieces[-1] += char
        last = char
    return pieces


def indented(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """Wrapped lines after a prefix; the lines after the first begin with `rest`, or with as many spaces."""
    hang = " " * cells(first) if rest is None else rest
    lines = wrap(text, max(width - cells(first), 8))
    return [(first if index == 0 else hang) + line for index, line in enumerate(lines)]
