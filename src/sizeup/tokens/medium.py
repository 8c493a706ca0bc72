"""PDFs, pictures, recordings and films as things with their tokens: by the model's rule, or between those of all families."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sizeup.datasets.tokenizer import Counter
from sizeup.errors import Refused
from sizeup.facts import Source
from sizeup.interval import Interval
from sizeup.media import Film, Pdf, Picture, Recording, looked
from sizeup.media.rules import Rule, What, families, rule
from sizeup.model import ModelSpec

from .count import count
from .found import NOTHING, How, Thing

PAGE_DPI = 144
"""Dots per inch that a page is drawn with before a model sees it: twice the points of PDF, at which small print stays legible."""
FEWEST_PAGE_CHARACTERS = 16
"""A PDF with less text than this a page is a scan: its text layer, if any, is page numbers."""

WHAT: dict[str, What] = {"pictures": "picture", "sound": "audio", "films": "film"}

Value = Callable[[Rule], int | None]


class Reader(NamedTuple):
    """Who is to see and hear it."""

    counter: Counter | None = None
    """Of the text of PDFs."""
    model: ModelSpec | None = None
    engine: str = "llama.cpp"
    frames_per_s: float | None = None
    """That are taken of a film; None is the family's own pace."""


def medium(path: Path, size: int, reader: Reader) -> Thing:
    """What a medium costs. Raises Unreadable or Unavailable with the reason of whoever looked."""
    found = looked(path)
    match found:
        case Pdf():
            return _pdf(found, size, reader)
        case Picture():
            tokens, how, note = _by(reader, lambda one: one.picture(found.width, found.height), "pictures")
            notes = (*found.notes, *note, *(("Only its first frame is counted.",) if found.frames > 1 else ()))
            return Thing(str(path), "picture", tokens, how, size, width=found.width, height=found.height, notes=notes)
        case Recording():
            seconds = found.seconds
            tokens, how, note = _timed(reader, seconds, lambda one: one.audio(seconds or 0.0), "sound")
            return Thing(str(path), "audio", tokens, how, size, seconds=seconds, notes=(*found.notes, *note))
        case Film():
            seconds = found.seconds
            tokens, how, note = _timed(
                reader,
                seconds,
                lambda one: one.film(seconds or 0.0, found.width, found.height, found.frames_per_s, found.has_audio, reader.frames_per_s),
                "films",
            )
            return Thing(
                str(path), "film", tokens, how, size, width=found.width, height=found.height, seconds=seconds, notes=(*found.notes, *note)
            )


def _pdf(found: Pdf, size: int, reader: Reader) -> Thing:
    """Its text layer; where that is missing, its pages as pictures."""
    text = count((page + "\n" for page in found.text()), reader.counter)
    drawn, how, note = _by(reader, lambda one: _pages(found, one), "pictures")
    pictures = drawn if how != "unknown" else None
    if text.characters - found.pages >= FEWEST_PAGE_CHARACTERS * found.pages:
        said: How = "counted" if text.counted else "estimated"
        return Thing(
            str(found.path), "pdf", text.tokens, said, size, text.characters, pages=found.pages, picture_tokens=pictures, notes=found.notes
        )
    scan = "It has no text layer: its pages are counted as pictures." if pictures else "It has no text layer: its pages are pictures."
    return Thing(
        str(found.path),
        "pdf",
        drawn,
        how,
        size,
        text.characters,
        pages=found.pages,
        picture_tokens=pictures,
        notes=(*found.notes, scan, *note),
    )


def _pages(found: Pdf, one: Rule) -> int | None:
    each = [(run.pages, one.picture(*run.pixels(PAGE_DPI))) for run in found.runs]
    return None if any(tokens is None for _, tokens in each) else sum(pages * (tokens or 0) for pages, tokens in each)


def _timed(reader: Reader, seconds: float | None, value: Value, what: str) -> tuple[Interval, How, tuple[str, ...]]:
    if seconds is None:
        return NOTHING, "unknown", ("How long it is cannot be told, so its tokens cannot either.",)
    return _by(reader, value, what)


def _by(reader: Reader, value: Value, what: str) -> tuple[Interval, How, tuple[str, ...]]:
    """By the model's own rule; without a model, between the families that take such a thing."""
    if reader.model is None:
        return _between(value)
    own = rule(reader.model, reader.engine)
    try:
        found = None if own is None else value(own)
    except Refused as error:
        return NOTHING, "unknown", (error.message,)
    if found is None or own is None:
        return NOTHING, "unknown", (f"{reader.model.name} takes no {what}, or nobody wrote down how many tokens it makes of them.",)
    said = own.note(WHAT[what])
    notes = (said,) if said else ()
    if what == "films" and own.films == "pictures":
        notes = ("It has no rule for films: a frame a second is given as a picture.",)
        if reader.frames_per_s is not None:
            notes = ("It has no rule for films: frames are given as pictures.",)
    return Interval(found, found, found, own.source), "rule", notes


def _between(value: Value) -> tuple[Interval, How, tuple[str, ...]]:
    known = []
    for one in families():
        try:
            known.append(value(one))
        except Refused:
            continue
    counts = sorted(count for count in known if count is not None)
    if not counts:
        return NOTHING, "unknown", ("Name a model that takes it: --model.",)
    source = Source("derived", f"the rules of {len(counts)} families")
    return Interval(counts[0], statistics.median_low(counts), counts[-1], source), "estimated", ()
