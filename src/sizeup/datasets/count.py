"""How many examples and tokens a dataset file holds, counted with a model's tokenizer or estimated by script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sizeup.errors import Unavailable, Unreadable
from sizeup.facts import Source, data_json
from sizeup.interval import Interval

from .fields import texts
from .guess import KINDS, characters, tokens
from .rows import FORMATS, rows
from .tokenizer import Counter, tokenizer

BATCH = 256
"""Examples that are tokenized together."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a file of examples holds. Not counted: the tokens that a chat template puts around turns."""

    path: str
    examples: int
    """Rows with text."""
    empty: int
    """Rows without."""
    fields: tuple[str, ...]
    """Whose texts were counted; empty where rows are plain texts."""
    passed_over: tuple[str, ...]
    """Fields that were not."""
    characters: int
    by_kind: tuple[tuple[str, int], ...]
    """Characters by script, code apart; empty when the tokens were counted."""
    tokens: Interval
    """One number when counted."""
    median_tokens: int
    """Of an example; estimated when the tokens are."""
    p95_tokens: int
    longest_tokens: int
    counted: bool
    tokenizer: str
    """The file it is from; "" when estimated."""
    notes: tuple[str, ...] = ()


def dataset(path: str | Path, model: str | Path | None = None) -> Dataset:
    """Examples and tokens of a .jsonl, .json, .txt or .parquet file.

    `model` is a tokenizer.json, a GGUF file or a folder with one of them; without it, or without the package `tokenizers`, tokens are
    estimated by script. Raises NotFound, Unreadable or Unavailable.
    """
    counter, notes = _counter(model)
    found = _Found()
    lengths: list[int] = []
    batch: list[list[str]] = []
    for row in rows(path):
        inside = found.add(row)
        if not inside:
            continue
        batch.append(inside)
        if len(batch) == BATCH:
            lengths += found.lengths(batch, counter)
            batch = []
    lengths += found.lengths(batch, counter)
    if not lengths:
        raise Unreadable(f"{path} holds no text to train on.", FORMATS)
    lengths.sort()
    whole = sum(lengths)
    if counter is None:
        rate = data_json("text_rates.json")
        low, middle, high = tokens(found.kinds)
        spread = Interval(low, middle, high, Source("measured", rate["source"], rate["date"]))
        by_kind = tuple((kind, count) for kind, count in found.kinds.items() if count)
    else:
        spread, by_kind = Interval(whole, whole, whole, Source("read", counter.name)), ()
    return Dataset(
        str(path),
        len(lengths),
        found.empty,
        tuple(found.used),
        tuple(name for name in found.names if name not in found.used),
        found.characters,
        by_kind,
        spread,
        lengths[len(lengths) // 2],
        lengths[min(len(lengths) * 95 // 100, len(lengths) - 1)],
        lengths[-1],
        counter is not None,
        counter.name if counter else "",
        notes,
    )


def _counter(model: str | Path | None) -> tuple[Counter | None, tuple[str, ...]]:
    """The tokenizer, and what is to be said when there is none."""
    if model is None:
        return None, ()
    path = Path(model)
    try:
        found = tokenizer(path)
    except Unavailable as missing:
        return None, (missing.message,)
    if found is None:
        return None, (f"No tokenizer of {model} is here: a tokenizer.json or a GGUF file has one.",)
    return found, (f"{found.name} cuts texts in a way that is not known here; the count is near.",) if found.near else ()


class _Found:
    """What was seen so far."""

    def __init__(self) -> None:
        self.kinds = dict.fromkeys(KINDS, 0)
        self.used: dict[str, None] = {}
        self.names: dict[str, None] = {}
        self.characters = 0
        self.empty = 0

    def add(self, row: Any) -> list[str]:
        """The texts of a row that has some."""
        inside, names = texts(row)
        self.used |= dict.fromkeys(names)
        if isinstance(row, dict):
            self.names |= dict.fromkeys(map(str, row))
        if not inside:
            self.empty += 1
        self.characters += sum(map(len, inside))
        return inside

    def lengths(self, batch: list[list[str]], counter: Counter | None) -> Iterator[int]:
        """Tokens of each example of a batch."""
        if counter is None:
            for inside in batch:
                yield self._guess(inside)
            return
        counts = iter(counter.lengths([text for inside in batch for text in inside]))
        for inside in batch:
            yield sum(next(counts) for _ in inside)

    def _guess(self, inside: list[str]) -> int:
        here = dict.fromkeys(KINDS, 0)
        for text in inside:
            for kind, count in characters(text).items():
                here[kind] += count
                self.kinds[kind] += count
        return round(tokens(here)[1])
