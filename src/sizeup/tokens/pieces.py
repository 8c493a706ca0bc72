"""A long text cut where a tokenizer would cut it too, so that the tokens of the pieces are the tokens of the whole.

A cut lies behind a line's end and before what is no space. There no vocabulary that we know has a token that spans it: byte-level ones
cut a text there before they merge, and no piece of SentencePiece goes on behind a line's end. A text without lines is cut between two
words, and one without spaces anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

LENGTH = 64 << 10
"""Characters from which on a cut is looked for."""
LONGEST = 1 << 20
"""Characters of a piece at most, wherever that cuts."""
_LINE = re.compile(r"(?<=[^\s]\n)(?=\S)")
_WORD = re.compile(r"(?<=\w)(?= \w)")


class Piece(NamedTuple):
    """A part of a text, and what stands before it: tokens of both less those of `before` are the part's own."""

    text: str
    before: str = ""
    hard: bool = False
    """Whether the cut before it is one that a token may span."""


def pieces(texts: Iterable[str]) -> Iterator[Piece]:
    """The parts of a text that comes in any portions."""
    held, before, hard = "", "", False
    for text in texts:
        held += text
        while len(held) > LENGTH:
            found = _LINE.search(held, LENGTH)
            at, next_hard = (found.start(), False) if found else (0, False)
            if not at:
                if len(held) <= LONGEST:
                    break
                word = _WORD.search(held, LENGTH)
                at, next_hard = (word.start(), False) if word else (LONGEST, True)
            yield Piece(held[:at], before, hard)
            before, hard, held = held[at - 1], next_hard, held[at:]
    if held:
        yield Piece(held, before, hard)
