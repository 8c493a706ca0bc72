"""What shrinking takes to do: nothing, minutes of a processor, hours with calibration data, or training in device hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sizeup.cost import device_hours
from sizeup.facts import data_json
from sizeup.figure import Number, step
from sizeup.interval import Interval
from sizeup.model import ModelSpec
from sizeup.pretraining_asked import LONGEST_SEQUENCE, fleet_asked
from sizeup.training_flops import token_flops

Level = Literal["none", "minutes", "hours", "retrain", "pretrain"]
LEVELS: tuple[Level, ...] = ("none", "minutes", "hours", "retrain", "pretrain")
"""From the least work to the most: nothing but a setting or a download; a tool on a processor; calibration data and a device; training
the result to heal; training it from nothing."""


@dataclass(frozen=True, slots=True)
class Labour:
    """What one technique, or several together, take."""

    level: Level
    tokens: int | None = None
    """To train on; None where nobody says, or nothing is trained."""
    device_hours: Interval | None = None
    device: str = ""

    def __add__(self, other: Labour) -> Labour:
        """Both: the harder level, and the training that is longer, since one run heals everything."""
        level = max(self.level, other.level, key=LEVELS.index)
        longer = max((self, other), key=lambda one: one.tokens or 0)
        return Labour(level, longer.tokens, longer.device_hours, longer.device)


NOTHING = Labour("none")


@step("healing_flops")
def healing_flops(student: Number, teacher: Number, tokens: Number) -> Number:
    """FLOPs of training the small model on so many tokens while the large one, forward only, says what each should be."""
    return (student + teacher) * tokens


def labour(technique: str, small: ModelSpec, large: ModelSpec, tokens: int | None = None) -> Labour:
    """What `technique` takes to make `small` of `large` when it is healed on so many tokens; None where nobody says how many."""
    level: Level = data_json("shrink.json")["techniques"][technique]["work"]
    if not tokens:
        return Labour(level)
    fleet, _ = fleet_asked(None, None, None)
    sequence = min(small.context_tokens or LONGEST_SEQUENCE, LONGEST_SEQUENCE)
    # A pass forward is a third of forward and backward.
    flops = float(healing_flops(token_flops(small, sequence).spent(), token_flops(large, sequence).model / 3, tokens))
    low, middle, high = (float(device_hours(flops, fleet.flops_per_s, mfu)) for mfu in (fleet.mfu.high, fleet.mfu.middle, fleet.mfu.low))
    return Labour("retrain" if LEVELS.index(level) < 3 else level, tokens, Interval(low, middle, high, fleet.mfu.source), fleet.device)
