"""The text of documents that are archives of XML: Word (.docx), PowerPoint (.pptx), OpenDocument (.odt, .odp), e-books (.epub).

Files come from strangers: what is unpacked is bounded, and XML that declares entities is refused.
"""

from __future__ import annotations

import xml.parsers.expat
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from sizeup.errors import Unreadable
from sizeup.units import show_bytes

from .web_page import words

SUFFIXES = (".docx", ".pptx", ".odt", ".odp", ".epub")
MOST_BYTES = 512 << 20
"""Unpacked; more is a bomb or no document that anybody reads."""
MOST_PARTS = 10_000
_BLOCK = 1 << 16
PARAGRAPHS = ("p", "h", "br", "tab")
_UNPACK = "the same document saved as .txt, .html or .pdf"


def text(file: BinaryIO, name: str, suffix: str) -> Iterator[str]:
    """The text of a document, part by part. Raises Unreadable."""
    left = MOST_BYTES
    try:
        with zipfile.ZipFile(file) as archive:
            for part in _parts(archive, suffix, name):
                if archive.getinfo(part).flag_bits & 1:
                    raise Unreadable(f"{name} is encrypted.", "a copy without a password")
                blocks: list[bytes] = []
                with archive.open(part) as opened:
                    while block := opened.read(_BLOCK):
                        left -= len(block)
                        if left < 0:
                            raise Unreadable(f"{name} unpacks to more than {show_bytes(MOST_BYTES)}.", _UNPACK)
                        blocks.append(block)
                if suffix == ".epub":
                    yield from words([b"".join(blocks).decode("utf-8", "replace")])
                    yield "\n"
                else:
                    yield from _written(blocks, name)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError, ValueError, RuntimeError, KeyError):
        raise Unreadable(f"{name} is not a document that can be read.", _UNPACK) from None
    except Exception as error:
        # zlib and lzma have errors of their own.
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"{name} is not a document that can be read.", _UNPACK) from None


def _parts(archive: zipfile.ZipFile, suffix: str, name: str) -> list[str]:
    """The parts that hold what is read, in the order of their numbers (of an e-book: of their names)."""
    names = archive.namelist()
    if len(names) > MOST_PARTS:
        raise Unreadable(f"{name} has {len(names):,} parts.", _UNPACK)
    if suffix == ".docx":
        found = [one for one in names if one == "word/document.xml"]
    elif suffix == ".pptx":
        found = sorted(
            (one for one in names if one.startswith("ppt/slides/slide") and one.endswith(".xml")), key=lambda one: (len(one), one)
        )
    elif suffix == ".epub":
        found = sorted(one for one in names if one.lower().endswith((".xhtml", ".html", ".htm")))
    else:
        found = [one for one in names if one == "content.xml"]
    if not found:
        raise Unreadable(f"{name} is not a document that can be read.", _UNPACK)
    return found


def _written(blocks: list[bytes], name: str) -> Iterator[str]:
    """The character data of XML, a line for each paragraph."""
    parts: list[str] = []
    parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")

    def refuse(*declared: object) -> None:
        raise Unreadable(f"{name} declares entities, as no document does.", _UNPACK)

    def ended(tag: str) -> None:
        if tag.rpartition(" ")[2] in PARAGRAPHS:
            parts.append("\n")

    parser.StartDoctypeDeclHandler = refuse
    parser.CharacterDataHandler = parts.append
    parser.EndElementHandler = ended
    for block in blocks:
        parser.Parse(block, False)
        yield "".join(parts)
        parts.clear()
    parser.Parse(b"", True)
    yield "".join(parts)
