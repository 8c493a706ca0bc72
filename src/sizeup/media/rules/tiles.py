"""Pictures cut into tiles of one size, each with the same number of tokens, mostly beside a small copy of the whole."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from .native import Native, refused

Grid = tuple[int, int]
"""Tiles across and down."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Every picture is scaled to one size and has one number of tokens."""

    each: int
    marks: int = 0
    """Tokens around them that say where a picture begins and ends."""

    def tokens(self, width: int, height: int) -> int:
        return self.each + self.marks


@dataclass(frozen=True, slots=True)
class Shaped:
    """The grid whose shape is nearest to the picture's; of two as near, the larger while the picture fills half of it (InternVL)."""

    tile: int
    most: int
    each: int
    fewest: int = 1
    marks: int = 0
    tile_marks: int = 0
    """Tokens that stand with each tile and say which it is."""

    def tokens(self, width: int, height: int) -> int:
        return tiled(self.grid(width, height), self.each, self.marks, self.tile_marks)

    def grid(self, width: int, height: int) -> Grid:
        shape, area = width / height, width * height
        best, least = (1, 1), math.inf
        for across, down in grids(self.fewest, self.most):
            off = abs(shape - across / down)
            if off < least or (off == least and area > 0.5 * self.tile * self.tile * across * down):
                best, least = (across, down), off
        return best


@dataclass(frozen=True, slots=True)
class Scaled:
    """The grid that the picture fits with the least scaling up, else with the least scaling down; of equal ones the smallest (Llama 4)."""

    tile: int
    most: int
    each: int
    marks: int = 0
    tile_marks: int = 0

    def tokens(self, width: int, height: int) -> int:
        def scale(grid: Grid) -> float:
            return min(grid[0] * self.tile / width, grid[1] * self.tile / height)

        larger = [grid for grid in grids(1, self.most) if scale(grid) >= 1]
        grid = min(larger, key=scale) if larger else max(grids(1, self.most), key=scale)
        return tiled(grid, self.each, self.marks, self.tile_marks)


@dataclass(frozen=True, slots=True)
class Split:
    """Scaled to a longest side, then cut into tiles, with marks before each and a mark after each row (Idefics 3)."""

    longest: int
    tile: int
    each: int

    def tokens(self, width: int, height: int) -> int:
        across, down = (-(-side // self.tile) for side in self._scaled(width, height))
        rows = 0 if across == down == 1 else down
        return rows * (across * (self.each + 2) + 1) + self.each + 3

    def _scaled(self, width: int, height: int) -> tuple[int, int]:
        shape = width / height
        if width >= height:
            other = int(self.longest / shape)
            return self.longest, max(1, other + other % 2)
        other = int(self.longest * shape)
        return max(1, other + other % 2), self.longest


@dataclass(frozen=True, slots=True)
class Large:
    """Small pictures keep their shape; large ones are cut into tiles beside a small copy (LFM2-VL, DeepSeek-OCR)."""

    tiles: Shaped
    small: Native | Fixed
    """Tokens of a small picture, and of the copy of a large one."""
    over_pixels: int = 0
    """Pixels, each side rounded to whole tokens, above which a picture is large; 0 where its longer side is asked."""
    over_side: int = 0
    marks: int = 0
    copy_marks: int = 0

    def tokens(self, width: int, height: int) -> int:
        small = self.small.tokens(width, height) + self.marks
        if not self._large(width, height):
            return small
        across, down = self.tiles.grid(width, height)
        if across * down == 1:
            return small
        return small + self.copy_marks + across * down * (self.tiles.each + self.tiles.tile_marks)

    def _large(self, width: int, height: int) -> bool:
        if self.over_side:
            return max(width, height) > self.over_side
        assert isinstance(self.small, Native)
        side = self.small.patch * self.small.merge
        across, down = (max(self.small.patch, round(length / side) * side) for length in (width, height))
        return across * down > self.over_pixels


@dataclass(frozen=True, slots=True)
class Masked:
    """As many tiles as the picture covers, or the nearest shape of those allowed; tokens that are padding fall away (Phi-4)."""

    tile: int
    patch: int
    most: int

    def tokens(self, width: int, height: int) -> int:
        across, down = math.ceil(width / self.tile), math.ceil(height / self.tile)
        if across * down > self.most:
            across, down = Shaped(self.tile, self.most, 0).grid(width, height)
        wide, high = across * self.tile, down * self.tile
        if wide / width < high / height:
            used = wide, int(height * (wide / width))
        else:
            used = int(width * (high / height)), high
        if min(used) < 10:
            raise refused(width, height)
        # Patches with a picture in them, of which every second on each side becomes a token.
        columns, rows = (-(-(full // self.patch - (full - part) // self.patch) // 2) for full, part in zip((wide, high), used, strict=True))
        side = self.tile // self.patch // 2
        return side * side + side + 1 + columns * rows + rows


def tiled(grid: Grid, each: int, marks: int, tile_marks: int) -> int:
    """Tokens of a grid of tiles and of the copy of the whole beside it; one tile is the whole."""
    tiles = grid[0] * grid[1]
    return each + marks + (0 if tiles == 1 else tiles * (each + tile_marks))


@functools.cache
def grids(fewest: int, most: int) -> tuple[Grid, ...]:
    """Every grid of so many tiles, the smallest first, the narrowest first among equals."""
    sides = range(1, most + 1)
    return tuple(sorted(((x, y) for x in sides for y in sides if fewest <= x * y <= most), key=lambda grid: grid[0] * grid[1]))
