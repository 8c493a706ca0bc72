"""The size of a HEIC picture (an iPhone's), which Pillow does not read, by the boxes of its header (ISO/IEC 23008-12).

A phone's picture is a grid of tiles beside a thumbnail, each with a size of its own: the largest is the picture's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

HEADER_BYTES = 1 << 20
"""As much of a file as its header may take."""

_INSIDE = {b"meta": 12, b"iprp": 8, b"ipco": 8}
"""Boxes on the way to the sizes, and how many bytes stand before what is in them."""


def size(file: BinaryIO) -> tuple[int, int] | None:
    """Width and height as it is shown; None when no box says them."""
    sizes, turned = [], False
    header = file.read(HEADER_BYTES)
    for name, content in _boxes(header) if header[4:8] == b"ftyp" else ():
        if name == b"ispe" and len(content) >= 12:
            sizes.append((int.from_bytes(content[4:8], "big"), int.from_bytes(content[8:12], "big")))
        elif name == b"irot" and content:
            turned = turned or bool(content[0] & 1)
    width, height = max(sizes, key=lambda one: one[0] * one[1], default=(0, 0))
    if not width or not height:
        return None
    return (height, width) if turned else (width, height)


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every box on the way to the sizes, and the boxes beside them."""
    at = 0
    while at + 8 <= len(content):
        length, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if length < 8:
            return  # to the end of the file, or with a length of 64 bits: pixels, not the header
        if name in _INSIDE:
            yield from _boxes(content[at + _INSIDE[name] : at + length])
        else:
            yield name, content[at + 8 : at + length]
        at += length
