"""One file looked at: its kind decides which library reads its header, and every failure is told in words."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sizeup.errors import NotFound, Unreadable

from .kind import kind
from .medium import Film, Pdf, Picture, Recording

FORMATS = "a PDF, PNG, JPEG, GIF, WebP, TIFF, MP3, WAV, FLAC, OGG, MP4, MKV or WebM file"


def looked(path: str | Path) -> Pdf | Picture | Recording | Film:
    """What a file's header says. Nothing of a picture or a film is decoded.

    Raises NotFound; Unreadable for a folder, a pipe, an empty, broken or encrypted file or an unknown format; Unavailable when the
    package that reads this kind is not installed.
    """
    path = Path(path)
    try:
        found = os.stat(path)
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.", "check the path") from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be opened: {error.strerror}.", "a file that you may read") from None
    if not stat.S_ISREG(found.st_mode):
        raise Unreadable(f"{path} is not a regular file.", FORMATS)
    if found.st_size == 0:
        raise Unreadable(f"{path} is empty.", "download or copy it again")
    if not os.access(path, os.R_OK):
        raise Unreadable(f"{path} cannot be opened: {os.strerror(13)}.", "a file that you may read")
    match kind(path):
        case "pdf":
            from .pdf import look_pdf

            return look_pdf(path)
        case "picture":
            from .picture import look_picture

            return look_picture(path)
        case "audio" | "film":
            from .film import look_film

            return look_film(path)
    raise Unreadable(f"{path} is no PDF, picture, recording or film that is known here.", FORMATS)
