"""Sound: seconds -> samples -> frames of a spectrum -> tokens, as each family's encoder thins them."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chunks:
    """Sound is cut into chunks of one length, the last padded; each has one number of tokens."""

    chunk_s: float
    each: int
    marks: int = 0

    def tokens(self, seconds: float) -> int:
        return max(1, math.ceil(seconds / self.chunk_s)) * (self.each + self.marks)


@dataclass(frozen=True, slots=True)
class Convolved:
    """Frames of a spectrum, thinned by convolutions and pooled in windows."""

    window: int
    """Samples of the first frame; the hop less when a part of a frame counts as one."""
    convolutions: tuple[tuple[int, int, int], ...] = ()
    """Kernel, stride and padding of each."""
    hop: int = 160
    rate: int = 16000
    block: int = 0
    """Frames that go through the convolutions at a time; 0: all."""
    pooled: int = 1
    """Frames of a last window, the last one padded …"""
    pooled_to: int = 1
    """… which becomes so many tokens."""
    most: int = 0
    """Tokens at which sound is cut off; 0: never."""
    marks: int = 0

    def tokens(self, seconds: float) -> int:
        frames = max(0, (int(seconds * self.rate) - self.window) // self.hop + 1)
        whole, rest = divmod(frames, self.block) if self.block else (0, frames)
        thinned = whole * self._thinned(self.block) + self._thinned(rest)
        tokens = -(-thinned // self.pooled) * self.pooled_to
        return (min(tokens, self.most) if self.most else tokens) + self.marks

    def _thinned(self, frames: int) -> int:
        for kernel, stride, padding in self.convolutions:
            frames = max(0, (frames + 2 * padding - kernel) // stride + 1)
        return frames
