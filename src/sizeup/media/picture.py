"""Pictures, by their headers only (Pillow): pixels and frames. Nothing is decoded, whatever the header claims."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

from sizeup.errors import Unavailable, Unreadable

from . import heif
from .medium import Picture

FORMATS = ("PNG", "JPEG", "MPO", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000")
"""Formats that are tried. Not those that run another program or hold a document (EPS, PDF, WMF)."""

LARGE_PIXELS = 89_478_485
"""Above this Pillow warns of a picture bomb, and above twice this it refuses: Image.MAX_IMAGE_PIXELS, a quarter GiB at 3 bytes."""

ORIENTATION = 0x0112
"""The EXIF tag; from 5 on the picture is stored on its side."""


def look_picture(path: Path) -> Picture:
    """Width and height as it is shown, and the frames of an animated one."""
    try:
        from PIL import Image
    except ImportError:
        raise Unavailable(
            "Pictures are read by the package Pillow, which is not installed.", 'pip install ".[tokens]" in the folder of sizeup'
        ) from None
    # Pillow tells a log of what is broken, which nobody here listens to; without a listener it would be printed.
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore")
        width, height, frames = _described(Image, file) or (0, 0, 0)
    if not frames:
        raise Unreadable(f"{path} is not a picture that can be read: its header is broken or of an unknown format.", "a PNG or JPEG file")
    large = width * height > 2 * LARGE_PIXELS
    note = f"It claims {width:,} × {height:,} pixels: only its header was read, and programs that unpack it may refuse it."
    return Picture(path=path, width=width, height=height, frames=frames, notes=(note,) if large else ())


def _described(library: Any, file: Any) -> tuple[int, int, int] | None:
    """Width and height as it is shown, and frames; None when no format knows it."""
    picture = _header(library, file)
    if picture is None:
        file.seek(0)
        found = heif.size(file)
        return None if found is None else (*found, 1)
    width, height = picture.size
    if _orientation(library, picture) >= 5:
        width, height = height, width
    return width, height, _frames(picture)


def _header(library: Any, file: Any) -> Any:
    """The picture unread, from the first format that knows it; None when none does.

    Not Image.open: that refuses large pictures before it has told their size, unless a setting of the whole process is changed.
    """
    library.init()
    start = file.read(16)
    for name in FORMATS:
        if name not in library.OPEN:
            continue  # this build of Pillow was made without it
        make, accepts = library.OPEN[name]
        if accepts is not None and accepts(start) is not True:
            continue
        file.seek(0)
        try:
            found = make(file, "")
        # Formats raise what their parsers raise: SyntaxError, struct.error, KeyError, OverflowError, DecompressionBombError …
        except Exception:
            continue
        if min(found.size) > 0:
            return found
    return None


def _orientation(library: Any, picture: Any) -> int:
    if picture.format == "TIFF":
        return 1  # Pillow has turned its size already
    try:
        if picture.format == "PNG":
            # Its own getexif would decode the whole picture to look for EXIF data behind the pixels.
            exif = library.Exif()
            exif.load(picture.info.get("exif", b""))
        else:
            exif = picture.getexif()
        turned = exif.get(ORIENTATION, 1)
    except Exception:
        return 1
    return turned if isinstance(turned, int) else 1


def _frames(picture: Any) -> int:
    """Frames of an animated picture, found without decoding one; 1 when that fails."""
    if picture.format in ("TIFF", "MPO"):
        return 1  # several pages or views, not an animation
    try:
        return int(getattr(picture, "n_frames", 1))
    except Exception:
        return 1
