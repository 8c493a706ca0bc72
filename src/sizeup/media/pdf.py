"""PDFs, read by PDFium (pypdfium2): how many pages of which size, and the text layer page by page."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from sizeup.errors import Unavailable, Unreadable

from .medium import Pages, Pdf

_ONE_AT_A_TIME = threading.Lock()
"""PDFium may be called by one thread only at any moment."""

_PASSWORD, _SECURITY = 4, 5
"""PDFium's error codes: FPDF_ERR_PASSWORD and FPDF_ERR_SECURITY (fpdfview.h)."""


def _library() -> Any:
    try:
        import pypdfium2
    except ImportError:
        raise Unavailable(
            "PDFs are read by the package pypdfium2, which is not installed.", 'pip install ".[tokens]" in the folder of sizeup'
        ) from None
    return pypdfium2


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The document, closed afterwards. PDFium's failures are told in words."""
    library = _library()
    with _ONE_AT_A_TIME:
        try:
            document = library.PdfDocument(path)
        except (library.PdfiumError, OSError) as error:
            raise _refusal(path, getattr(error, "err_code", None)) from None
    try:
        yield document
    finally:
        with _ONE_AT_A_TIME:
            document.close()


def _refusal(path: Path, code: int | None) -> Unreadable:
    if code == _PASSWORD:
        return Unreadable(f"{path} is encrypted: it opens with a password only.", "a copy of it without a password")
    if code == _SECURITY:
        return Unreadable(f"{path} is encrypted in a way that PDFium does not know.", "a copy of it without a password")
    return Unreadable(f"{path} is not a PDF that can be read: it is broken or cut short.", "download or print it to PDF again")


def look_pdf(path: Path) -> Pdf:
    """Pages and their sizes. The text is not read yet."""
    with _opened(path) as document, _ONE_AT_A_TIME:
        claimed = len(document)
        # The smallest page takes some bytes, however well it is packed.
        if claimed > path.stat().st_size:
            raise Unreadable(f"{path} claims {claimed:,} pages, more than it has bytes.", "download or print it to PDF again")
        sizes = [size for page in range(claimed) if (size := _size(document, page))]
    if not sizes:
        raise Unreadable(f"{path} has no pages.", "download or print it to PDF again")
    notes = (f"{claimed - len(sizes):,} of its {claimed:,} pages are broken and not counted.",) if len(sizes) < claimed else ()
    return Pdf(path=path, runs=tuple(Pages(len(list(same)), *size) for size, same in groupby(sizes)), notes=notes)


def _size(document: Any, page: int) -> tuple[float, float] | None:
    """Width and height of one page in points; None for one that PDFium cannot find."""
    try:
        width, height = document.get_page_size(page)
    except _library().PdfiumError:
        return None
    return round(width, 2), round(height, 2)


def texts(path: Path) -> Iterator[str]:
    """The text layer of every page in turn; "" where there is none or it cannot be read. Memory follows the longest page."""
    with _opened(path) as document:
        for page in range(len(document)):
            with _ONE_AT_A_TIME:
                text = _text(document, page) if _size(document, page) else None
            if text is not None:
                yield text


def _text(document: Any, number: int) -> str:
    try:
        page = document[number]
    except _library().PdfiumError:
        return ""
    try:
        layer = page.get_textpage()
        try:
            text: str = layer.get_text_range()
        finally:
            layer.close()
    except _library().PdfiumError:
        return ""
    finally:
        page.close()
    # PDFium ends lines as Windows does; a tokenizer would count each end twice.
    return text.replace("\r\n", "\n")
