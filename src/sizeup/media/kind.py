"""Which kind of medium a file is: by its first bytes, and by its name where these do not tell."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .medium import Kind

HEAD_BYTES = 1024
"""As much as the longest of these signs takes."""

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\x89PNG\r\n\x1a\n", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF87a", "picture"),
    (b"GIF89a", "picture"),
    (b"II*\0", "picture"),
    (b"MM\0*", "picture"),
    (b"\0\0\0\x0cjP  ", "picture"),
    (b"\xff\x4f\xff\x51", "picture"),
    (b"ID3", "audio"),
    (b"fLaC", "audio"),
    (b"#!AMR", "audio"),
    (b"\x1aE\xdf\xa3", "film"),
    (b"FLV\x01", "film"),
    (b"\0\0\x01\xba", "film"),
    (b"\0\0\x01\xb3", "film"),
    (b"0&\xb2u\x8ef\xcf\x11", "film"),
)
"""First bytes -> kind. Containers of both sound and films are called films here; looking at them tells."""

_FORM: dict[bytes, Kind] = {b"WAVE": "audio", b"AVI ": "film", b"WEBP": "picture", b"AIFF": "audio", b"AIFC": "audio"}
"""The kind of a RIFF or FORM file by its bytes 8 to 11."""

_BRAND: dict[bytes, Kind] = {
    b"heic": "picture",
    b"heix": "picture",
    b"mif1": "picture",
    b"avif": "picture",
    b"avis": "picture",
    b"M4A ": "audio",
    b"M4B ": "audio",
}
"""The kind of an ISO base media file by its brand; any other brand is a film."""

_NAMED: dict[Kind, str] = {
    "pdf": "pdf",
    "picture": "png jpg jpeg gif webp bmp tif tiff avif heic heif jp2",
    "audio": "mp3 wav flac ogg oga opus m4a m4b aac amr aif aiff wma mka",
    "film": "mp4 m4v mov mkv webm avi mpg mpeg m2ts wmv flv ogv 3gp",
}
_SUFFIX: dict[str, Kind] = {"." + name: kind for kind, names in _NAMED.items() for name in names.split()}
"""The end of a file's name -> kind. Not .ts: that is a program more often than a film, whose packets tell."""


def kind(path: str | Path) -> Kind | None:
    """The kind of a file; None for a text, an unknown format, a folder, a pipe, a device, or what cannot be opened.

    Opens regular files only, and never waits: a pipe without a writer is not opened.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return None
    return by_content(head) or _SUFFIX.get(Path(path).suffix.lower())


def by_content(head: bytes) -> Kind | None:
    """The kind that the first bytes tell; None when they do not."""
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    if head[:4] in (b"RIFF", b"RF64", b"FORM"):
        return _FORM.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BRAND.get(head[8:12], "film")
    if head[:4] == b"OggS":
        return "film" if b"\x80theora" in head else "audio"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"%PDF-"):
        return "pdf"
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return "picture"
    # A transport stream: packets of 188 bytes, each begun by G.
    if len(head) > 564 and head[0] == head[188] == head[376] == head[564] == 0x47:
        return "film"
    # A frame of MPEG audio or AAC: eleven set bits, no reserved version or rate, and not layer I, which looks like UTF-16.
    if len(head) > 3 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x18 != 0x08 and head[1] & 6 != 6 and head[2] < 0xF0:
        return "audio"
    return None
