"""Pictures scaled into the best of a list of sizes, whose padding is cut off again (LLaVA-NeXT, LLaVA-OneVision), and MiniCPM's slices."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnyRes:
    """The whole at the tower's size, and the picture in the best size of a list, with a token at the end of each row."""

    tile: int
    side: int
    """Tokens on a side of a tile."""
    sizes: tuple[tuple[int, int], ...]
    """Height and width in pixels."""
    most_tiles: int = 0
    """More tokens than so many tiles have are scaled down to that; 0: never."""

    def tokens(self, width: int, height: int) -> int:
        down, across = (self.side * (pixels // self.tile) for pixels in self._best(width, height))
        if width / height > across / down:
            down -= (down - int(round(height * (across / width), 7))) // 2 * 2
        else:
            across -= (across - int(round(width * (down / height), 7))) // 2 * 2
        if self.most_tiles:
            ratio = math.sqrt(down * across / (self.most_tiles * self.side**2))
            if ratio > 1.1:
                down, across = int(down // ratio), int(across // ratio)
        return self.side**2 + down * across + down

    def _best(self, width: int, height: int) -> tuple[int, int]:
        """The size that keeps most pixels of the picture, and of those the one that wastes least."""

        def worth(size: tuple[int, int]) -> tuple[int, int]:
            scale = min(size[1] / width, size[0] / height)
            kept = min(int(width * scale) * int(height * scale), width * height)
            return kept, kept - size[0] * size[1]

        return max(self.sizes, key=worth)


@dataclass(frozen=True, slots=True)
class Slices:
    """The whole at about one slice's size, and up to `most` slices in the grid nearest to its shape (MiniCPM-V)."""

    slice: int
    patch: int
    merge: int
    """Patches on a side of a token."""
    most: int
    marks: int = 0
    slice_marks: int = 0

    def tokens(self, width: int, height: int) -> int:
        grid = self._grid(width, height)
        whole = self._fitted(width, height, larger=grid is None) + self.marks
        if grid is None:
            return whole
        rows, columns = grid
        each = self._fitted(_divisible(width, columns) / columns, _divisible(height, rows) / rows, larger=True)
        # Rows of slices stand on lines of their own.
        return whole + rows * columns * (each + self.slice_marks) + rows - 1

    def _fitted(self, width: float, height: float, larger: bool) -> int:
        if width * height > self.slice * self.slice or larger:
            shape = width / height
            height = int(self.slice / math.sqrt(shape))
            width = int(height * shape)
        side = self.patch * self.merge
        return _divisible(width, side) // side * (_divisible(height, side) // side)

    def _grid(self, width: int, height: int) -> tuple[int, int] | None:
        """Rows and columns; None for a picture of about one slice."""
        shape = math.log(width / height)
        slices = min(math.ceil(width * height / (self.slice * self.slice)), self.most)
        if slices <= 1:
            return None
        best, least = (1, 1), math.inf
        for count in (slices - 1, slices, slices + 1):
            if count == 1 or count > self.most:
                continue
            for rows in (row for row in range(1, count + 1) if count % row == 0):
                off = abs(shape - math.log(count // rows / rows))
                if off < least or (off == least and rows > best[0]):
                    best, least = (rows, count // rows), off
        return best


def _divisible(length: float, by: int) -> int:
    return max(round(length / by) * by, by)
