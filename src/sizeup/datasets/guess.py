"""Tokens of a text without its tokenizer: characters by script over measured characters per token.

English, other Latin, CJK, Cyrillic, other scripts, code, digits and the rest of tables of numbers each have their own rate
(data/text_rates.json), with the lowest and the highest that were measured. Characters of one kind are counted together; a piece is code
by the share of symbols that code is full of, and a table by that of digits.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from sizeup.facts import data_json

KINDS = ("english", "latin", "cjk", "cyrillic", "other", "code", "digits", "data")
CJK = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+")
CYRILLIC = re.compile(r"[\u0400-\u052f]+")
OTHER = re.compile(r"[\u0370-\u03ff\u0530-\u10ff\u1200-\u1dff]+")
ACCENTED = re.compile(r"[\u00c0-\u024f\u1e00-\u1eff]")
SYMBOLS = re.compile(r'[{}()\[\];=<>_\\|&*+#@$^~`"]|^[ \t]{2,}', re.MULTILINE)
DIGITS = re.compile(r"[0-9]+")
FENCE = "```"

_PATTERNS = (("cjk", CJK), ("cyrillic", CYRILLIC), ("other", OTHER))


class Rate(NamedTuple):
    """Characters per token."""

    low: float
    middle: float
    high: float


@functools.cache
def rates() -> dict[str, Rate]:
    """By kind of text."""
    return {row["kind"]: Rate(row["low"], row["middle"], row["high"]) for row in data_json("text_rates.json")["kinds"]}


def characters(text: str) -> dict[str, int]:
    """Characters of a text by kind."""
    found = dict.fromkeys(KINDS, 0)
    for place, piece in enumerate(text.split(FENCE)):
        if not piece:
            continue
        rest = len(piece)
        for kind, pattern in () if piece.isascii() else _PATTERNS:
            count = sum(map(len, pattern.findall(piece)))
            found[kind] += count
            rest -= count
        digits = sum(map(len, DIGITS.findall(piece)))
        found["digits"] += digits
        rest -= digits
        many = digits > data_json("text_rates.json")["data_digits"] * (rest + digits)
        found["data" if many else _plain(piece, rest, place % 2 == 1)] += rest
    return found


def _plain(piece: str, count: int, fenced: bool) -> str:
    """What the part of a piece in Latin letters is."""
    if fenced or sum(map(len, SYMBOLS.findall(piece))) > data_json("text_rates.json")["code_symbols"] * max(count, 1):
        return "code"
    return "latin" if not piece.isascii() and len(ACCENTED.findall(piece)) > count / 200 else "english"


def tokens(counts: dict[str, int]) -> tuple[float, float, float]:
    """Fewest, likely and most tokens for so many characters of each kind."""
    each = rates()
    low, middle, high = (sum(count / getattr(each[kind], end) for kind, count in counts.items()) for end in ("high", "middle", "low"))
    return low, middle, high
