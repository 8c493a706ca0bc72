"""Bytes as text: which encoding a file is in, and its text in pieces of bounded length."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from sizeup.errors import Unavailable, Unreadable, UserError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; UTF-32's begins as UTF-16's does."""
OLD = ["big5", "gb18030", "shift_jis", "euc_jp", "euc_kr", "cp1252", "cp1251", "koi8_r"]
"""Encodings that are tried when a file is not UTF-8."""
SAMPLE = 256 << 10
"""Bytes that the encoding is told by."""
PIECE = 256 << 10
"""Bytes that are decoded at a time."""
MOST_CONTROLS = 0.02
"""A file with a larger share of control characters is no text."""
_CONTROLS = bytes(set(range(32)) - {7, 8, 9, 10, 11, 12, 13, 27})


class Encoding(NamedTuple):
    """How the bytes of a file are read."""

    name: str
    assumed: bool = False
    """Whether it was told by what the bytes would say in it, as nothing names it."""


def is_binary(sample: bytes) -> bool:
    """Whether these first bytes of a file are no text in any encoding that marks itself or knows no zero bytes."""
    if any(sample.startswith(mark) for mark, _ in MARKS):
        return False
    return b"\0" in sample or len(sample) - len(sample.translate(None, _CONTROLS)) > MOST_CONTROLS * len(sample)


def encoding_of(sample: bytes, name: str, whole: bool, named: str = "", declared: str = "") -> Encoding:
    """The encoding that the first bytes of a file are in; `whole` says that there are no more.

    A mark decides, then the one that a person `named`, then strict UTF-8, then what the file's own head `declared` (programs that save
    it again in UTF-8 leave that as it was), then what charset-normalizer finds most like a language. Raises Unreadable when nothing
    fits, Unavailable without that package.
    """
    for mark, encoding in MARKS:
        if sample.startswith(mark):
            return Encoding(encoding)
    if named:
        return Encoding(named)
    if _is_utf8(sample, whole) and not (declared and sample.isascii()):
        return Encoding("utf-8")
    if declared:
        return Encoding(declared)
    try:
        import charset_normalizer
    except ImportError:
        raise Unavailable(
            f"{name} is not UTF-8; the package charset-normalizer tells other encodings.", 'pip install ".[tokens]" in the folder of sizeup'
        ) from None
    best = charset_normalizer.from_bytes(sample, cp_isolation=OLD).best()
    if best is None:
        raise Unreadable(f"The encoding of {name} cannot be told.", "--encoding big5, or another name of one")
    return Encoding(best.encoding, True)


def _is_utf8(sample: bytes, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, whole)
    except UnicodeDecodeError:
        return False
    return True


def checked(encoding: str) -> str:
    """The encoding that a person names. Raises UserError for one that does not exist or is none of text."""
    try:
        if not getattr(codecs.lookup(encoding), "_is_text_encoding", True):
            raise LookupError
    except (LookupError, ValueError):
        raise UserError(f"“{encoding}” is not an encoding.", "utf-8, big5, gb18030, shift_jis or cp1252") from None
    return encoding


class Decoded:
    """The text of an open file, piece by piece; `broken` says afterwards how many places were not in the encoding."""

    def __init__(self, file: BinaryIO, encoding: str, tell: Callable[[int], None] = lambda done: None) -> None:
        """`tell` is told the bytes that were read so far."""
        self._file, self._tell = file, tell
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self.broken = 0

    def __iter__(self) -> Iterator[str]:
        while block := self._file.read(PIECE):
            self._tell(self._file.tell())
            yield self._counted(self._decoder.decode(block))
        if rest := self._counted(self._decoder.decode(b"", True)):
            yield rest

    def _counted(self, text: str) -> str:
        self.broken += text.count("\ufffd")
        return text
