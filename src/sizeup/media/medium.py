"""What was found in a file that is no text: plain facts, nothing decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

Kind = Literal["pdf", "picture", "audio", "film"]


@dataclass(frozen=True, slots=True)
class Pages:
    """A run of pages of one size, in points (1/72 inch) as they are shown: a turned page is counted turned."""

    pages: int
    width_points: float
    height_points: float

    def pixels(self, dpi: int) -> tuple[int, int]:
        """Width and height of one of these pages as a picture of so many dots per inch, rounded up as PDFium does."""
        return max(1, -int(-self.width_points * dpi // 72)), max(1, -int(-self.height_points * dpi // 72))


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """One file. `notes` are sentences on what could not be known or was estimated."""

    kind: ClassVar[Kind]
    path: Path
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdf(Medium):
    """A PDF. Scanned pages have no text layer: their text is empty."""

    kind: ClassVar[Kind] = "pdf"
    runs: tuple[Pages, ...]

    @property
    def pages(self) -> int:
        return sum(run.pages for run in self.runs)

    def text(self) -> Iterator[str]:
        """The text layer of each page in turn, read while it is asked for; "" for a page without one.

        Raises Unreadable when the file has changed or broken since it was looked at.
        """
        from .pdf import texts

        return texts(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture(Medium):
    """A picture by its header: pixels as it is shown (turned as its EXIF says), and how many frames an animated one has."""

    kind: ClassVar[Kind] = "picture"
    width: int
    height: int
    frames: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording(Medium):
    """Sound by its header. `seconds` is None when neither the header nor the size of the file tells."""

    kind: ClassVar[Kind] = "audio"
    seconds: float | None
    sample_rate: int | None = None
    channels: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Film(Medium):
    """A film by its header: pixels as it is shown, frames per second, and whether it has sound."""

    kind: ClassVar[Kind] = "film"
    seconds: float | None
    width: int
    height: int
    frames_per_s: float | None = None
    has_audio: bool = False
    sample_rate: int | None = None
