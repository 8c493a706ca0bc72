"""Pictures that keep their shape: cut into patches at (nearly) their own size, within limits. Whole numbers of pixels only: these
formulas branch on numbers, and take no columns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from sizeup.errors import Refused


def refused(width: int, height: int) -> Refused:
    """What a family's own code answers to a picture that is too thin for it."""
    return Refused(f"A picture of {width} × {height} pixels is too thin for this family of models.", "crop it, or another model")


@dataclass(frozen=True, slots=True)
class Native:
    """Each side is rounded to whole tokens; too many or too few pixels scale both alike (Qwen's `smart_resize`)."""

    patch: int
    merge: int
    """A token is a square of so many patches on a side."""
    fewest_pixels: int
    most_pixels: int
    frames: int = 1
    """As how many frames a picture counts against the limits."""
    enlarged: bool = False
    """Whether a side shorter than a token is first scaled up to one."""
    whole: bool = False
    """Whether a rounded side is at least one token before the limits are looked at."""
    halves: Literal["even", "up"] = "even"
    """Where half a token is rounded to: Python's way, or C's."""
    thinnest: int = 200
    """One side may be at most so many times the other; 0 where nothing is checked."""
    marks: int = 0

    def tokens(self, width: int, height: int) -> int:
        return self.grid(width, height, self.frames, self.frames) + self.marks

    def grid(self, width: int, height: int, frames: int, counted: int) -> int:
        """Tokens of one frame when `frames` are looked at together, which count as `counted` (padded to whole pairs)."""
        side = self.patch * self.merge
        asked = width, height
        if self.enlarged and min(width, height) < side:
            scale = max(side / height, side / width)
            width, height = int(width * scale), int(height * scale)
        if self.thinnest and max(width, height) > self.thinnest * min(width, height):
            raise refused(*asked)
        across, down = self._rounded(width / side), self._rounded(height / side)
        if self.whole:
            across, down = max(1, across), max(1, down)
        pixels = counted * across * down * side * side
        if pixels > self.most_pixels:
            scale = math.sqrt((frames * height * width) / self.most_pixels)
            across, down = max(1, math.floor(width / scale / side)), max(1, math.floor(height / scale / side))
        elif pixels < self.fewest_pixels:
            scale = math.sqrt(self.fewest_pixels / (frames * height * width))
            across, down = math.ceil(width * scale / side), math.ceil(height * scale / side)
        return across * down

    def _rounded(self, tokens: float) -> int:
        return math.floor(tokens + 0.5) if self.halves == "up" else round(tokens)


@dataclass(frozen=True, slots=True)
class Budget:
    """Scaled up or down to as many tokens as the family allows, each side rounded down (Gemma 4)."""

    patch: int
    merge: int
    most: int
    marks: int = 0

    def tokens(self, width: int, height: int) -> int:
        side = self.patch * self.merge
        scale = math.sqrt(self.most * self.merge**2 * self.patch**2 / (height * width))
        across, down = math.floor(scale * width / side), math.floor(scale * height / side)
        if down == 0:
            across, down = min(width // height, self.most), 1
        elif across == 0:
            across, down = 1, min(height // width, self.most)
        return across * down + self.marks


@dataclass(frozen=True, slots=True)
class Padded:
    """Never scaled up, scaled down to a number of patches, padded to whole tokens (Kimi)."""

    patch: int
    merge: int
    most_patches: int
    most_side: int
    """Patches on one side."""
    marks: int = 0

    def tokens(self, width: int, height: int) -> int:
        limit = self.most_side * self.patch
        patches = max(1, height // self.patch) * max(1, width // self.patch)
        scale = min(1.0, math.sqrt(self.most_patches / patches), limit / height, limit / width)
        side = self.patch * self.merge
        across, down = (-(-min(max(1, int(length * scale)), limit) // side) for length in (width, height))
        return across * down + self.marks


@dataclass(frozen=True, slots=True)
class Rows:
    """Scaled down to a longest side, rounded up to whole tokens, with a mark at the end of each row (Pixtral)."""

    patch: int
    merge: int
    longest: int

    def tokens(self, width: int, height: int) -> int:
        scale = max(height / self.longest, width / self.longest)
        if scale > 1:
            across, down = math.floor(width / scale), math.floor(height / scale)
            if not across or not down:
                raise refused(width, height)
            width, height = across, down
        side = self.patch * self.merge
        return (-(-width // side) + 1) * -(-height // side)
