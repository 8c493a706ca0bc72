"""One file as a thing with its tokens: what it is by its content and its suffix, its text, and how that was counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sizeup.errors import Unreadable
from sizeup.media import kind

from . import chat, document, web_page
from .count import Count, count
from .decode import SAMPLE, Decoded, encoding_of, is_binary
from .found import Kind, Thing
from .medium import Reader, medium
from .walk import opened


class Manner(NamedTuple):
    """How files are to be read."""

    reader: Reader = Reader()
    encoding: str | None = None
    """The one that a person names, of every text that has no mark."""
    raw: bool = False
    """Pages and chats as they are written, markup and all."""
    tell: Callable[[str], None] = lambda coming: None
    """Told how far a long text is read."""


class Binary(Exception):
    """A file that is no text and of no kind that is known here."""


def thing(path: Path, manner: Manner) -> Thing:
    """The file and its tokens. Raises NotFound, Unreadable or Unavailable, and Binary for what is nothing to read."""
    with opened(path) as file:
        size = _size(file)
        if kind(path) is not None:
            return medium(path, size, manner.reader)
        sample = file.read(SAMPLE)
        file.seek(0)
        suffix = path.suffix.lower()
        if sample[:2] == b"PK":
            if suffix not in document.SUFFIXES:
                raise Binary
            return _made(path, "document", size, count(document.text(file, str(path), suffix), manner.reader.counter))
        if is_binary(sample):
            raise Binary
        if suffix in web_page.ARCHIVES and not manner.raw:
            return _made(path, "page", size, count(web_page.archived(file, str(path)), manner.reader.counter))
        if suffix in chat.SUFFIXES and not manner.raw and chat.looks_like_chat(sample):
            try:
                if (talk := _chat(path, size, manner)) is not None:
                    return talk
            except Unreadable:
                broken = ("It looks like a chat but is not whole JSON, and is counted as it is written.",)
                return _text(path, file, sample, size, manner, broken)
        return _text(path, file, sample, size, manner)


def _chat(path: Path, size: int, manner: Manner) -> Thing | None:
    """The turns of a chat; None for what has none and only looked like one."""
    said = Told(path)
    found = count(said, manner.reader.counter)
    notes = (f"Pictures, recordings and files in it are not counted: {said.unread:,}.",) if said.unread else ()
    return _made(path, "chat", size, found, turns=said.turns, notes=notes) if said.turns else None


def _text(path: Path, file: BinaryIO, sample: bytes, size: int, manner: Manner, known: tuple[str, ...] = ()) -> Thing:
    page = not manner.raw and (
        path.suffix.lower() in web_page.SUFFIXES or sample.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html"))
    )
    said = web_page.declared(sample) if page else ""
    encoding = encoding_of(sample, str(path), size <= len(sample), manner.encoding or "", said)
    text = Decoded(file, encoding.name, lambda done: manner.tell(f"{done / size:.0%} {path}"))
    found = count(web_page.words(text) if page else text, manner.reader.counter)
    notes = list(known)
    if encoding.assumed:
        notes.append(f"Its encoding is not said; read as {encoding.name}.")
    if text.broken:
        notes.append(f"{text.broken:,} places are not {encoding.name}; each is counted as one replacement character.")
    return _made(path, "page" if page else "text", size, found, encoding.name, notes=tuple(notes))


class Told:
    """Turns one after another, with how many there were, and how much in them was no text."""

    def __init__(self, path: Path) -> None:
        self._path, self.turns, self.unread = path, 0, 0

    def __iter__(self) -> Iterator[str]:
        for turn in chat.turns(self._path, self._more):
            self.turns += 1
            yield turn + "\n"

    def _more(self) -> None:
        self.unread += 1


def _made(path: Path, kind: Kind, size: int, found: Count, encoding: str = "", turns: int = 0, notes: tuple[str, ...] = ()) -> Thing:
    how = "counted" if found.counted else "estimated"
    if found.counted and found.tokens.low != found.tokens.high:
        notes = (*notes, "Parts of it have neither lines nor spaces, and were cut where a token may have been.")
    return Thing(str(path), kind, found.tokens, how, size, found.characters, encoding, turns, notes=notes)  # type: ignore[arg-type]


def _size(file: BinaryIO) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size
