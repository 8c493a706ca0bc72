"""Tokens of a text that comes in pieces: counted with a tokenizer, or estimated by script."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from sizeup.datasets.guess import KINDS, characters, tokens
from sizeup.datasets.tokenizer import Counter
from sizeup.facts import Source, data_json
from sizeup.interval import Interval

from .pieces import LENGTH, Piece, pieces

TOGETHER = 8
"""Pieces that are tokenized side by side."""
LONG = 8 << 20
"""Characters of a text that are all looked at for an estimate; of what follows one portion in EACH is."""
EACH = 16


class Count(NamedTuple):
    """Tokens of a text and its length."""

    tokens: Interval
    characters: int
    counted: bool


def count(texts: Iterable[str], counter: Counter | None) -> Count:
    """Tokens of the whole text; memory follows the pieces, not the text."""
    return _estimated(texts) if counter is None else _counted(texts, counter)


def _counted(texts: Iterable[str], counter: Counter) -> Count:
    whole = length = doubtful = 0
    batch: list[Piece] = []
    for piece in pieces(texts):
        length += len(piece.text)
        doubtful += piece.hard
        batch.append(piece)
        if len(batch) == TOGETHER:
            whole += _of(batch, counter)
            batch = []
    whole += _of(batch, counter)
    # A token that spans a hard cut is counted as two, and its neighbours may fall otherwise.
    source = Source("read", counter.name)
    return Count(Interval(max(whole - 2 * doubtful, 0), whole, whole + 2 * doubtful, source), length, True)


def _of(batch: list[Piece], counter: Counter) -> int:
    if not batch:
        return 0
    together = counter.lengths([piece.before + piece.text for piece in batch] + [piece.before for piece in batch])
    return sum(together[: len(batch)]) - sum(together[len(batch) :])


def _estimated(texts: Iterable[str]) -> Count:
    kinds = dict.fromkeys(KINDS, 0)
    length = looked = 0
    for number, text in enumerate(texts):
        length += len(text)
        if length <= LONG or not number % EACH:
            looked += len(text)
            for at in range(0, len(text), LENGTH):
                for kind, count in characters(text[at : at + LENGTH]).items():
                    kinds[kind] += count
    share = length / looked if looked < length else 1
    low, middle, high = (end * share for end in tokens(kinds))
    rate = data_json("text_rates.json")
    return Count(Interval(math.floor(low), round(middle), math.ceil(high), Source("measured", rate["source"], rate["date"])), length, False)
