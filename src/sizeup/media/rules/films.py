"""Films: how many frames a family takes of one, and how many tokens it makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .native import Budget, Native
from .tiles import Fixed


@dataclass(frozen=True, slots=True)
class Frames:
    """How many frames are taken. A film that says nothing of its frames is taken to have enough."""

    paces: tuple[tuple[float, float], ...]
    """Seconds, and frames a second for a film of up to so many; the last holds for longer ones, too."""
    most: int
    fewest: int = 1
    most_s: float = math.inf
    """A longer film has the frames of one of so many seconds."""
    pairs: bool = False
    """Whether a last odd one is left out."""

    def taken(self, seconds: float, frames_per_s: float | None = None, per_s: float | None = None) -> int:
        """Frames of a film: at the family's pace, or at `per_s`; within its limits, and never more than the film has, but one."""
        has = math.inf if frames_per_s is None else max(1, int(seconds * frames_per_s))
        pace = per_s or next((pace for upto, pace in self.paces if seconds <= upto), self.paces[-1][1])
        wanted = max(int(min(seconds, self.most_s) * pace), self.fewest)
        taken = int(min(wanted, self.most, has))
        return max(1, taken // 2 * 2 if self.pairs else taken)


@dataclass(frozen=True, slots=True)
class FrameByFrame:
    """Each frame is a picture of its own, mostly of fewer tokens than a picture alone."""

    frames: Frames
    frame: Fixed | Budget
    marks: int = 0
    """Tokens beside the frames, once a film."""

    def tokens(self, frames: int, width: int, height: int) -> int:
        return frames * self.frame.tokens(width, height) + self.marks


@dataclass(frozen=True, slots=True)
class Clips:
    """Frames are looked at in pairs: two have the tokens of one (Qwen-VL, GLM-V)."""

    frames: Frames
    frame: Native
    together: bool = False
    """Whether the limits of pixels hold for all frames together, not for each."""
    pair_marks: int = 0
    """Marks around each pair; its time stamp, a few tokens of text, is not counted."""

    def tokens(self, frames: int, width: int, height: int) -> int:
        pairs = -(-frames // 2)
        even = round(frames / 2) * 2
        each = self.frame.grid(width, height, frames, even) if self.together else self.frame.grid(width, height, 1, 1)
        return pairs * (each + self.pair_marks)
