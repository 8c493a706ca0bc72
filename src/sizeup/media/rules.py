"""How many tokens of a prompt each family of models makes of a picture, of sound and of a film: one row of media_rules.json a family.

Counted: the places in the prompt that the picture takes, with the marks that stand in and around it. Not counted: the text of
the prompt, the other marks of a chat template, time stamps between the frames of a film.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sizeup.facts import Source, data_json

from .pictures import WAYS, Way

FRAMES_PER_S = 1.0
"""Frames a second that are taken of a film for a family without a rule for films."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A family's rule. Each method gives whole tokens, or None where the family takes no such thing."""

    family: str
    """Hugging Face's `model_type`."""
    source: Source
    pictures: Way | None = None
    note: str = ""
    """What else there is to know, in a sentence; "" for nothing."""

    def picture(self, width: int, height: int) -> int | None:
        """Tokens of one picture of so many pixels."""
        return None if self.pictures is None else self.pictures.tokens(max(1, width), max(1, height))

    def audio(self, seconds: float) -> int | None:
        """Tokens of so many seconds of sound."""
        return None

    def frames(self, seconds: float, frames_per_s: float | None = None, sample_per_s: float | None = None) -> int | None:
        """Frames that are taken of a film: `sample_per_s` of them in place of the family's own, never more than it has, at least one."""
        if self.pictures is None:
            return None
        taken = int(seconds * (sample_per_s or FRAMES_PER_S))
        return max(1, taken if frames_per_s is None else min(taken, int(seconds * frames_per_s)))

    def film(
        self,
        seconds: float,
        width: int,
        height: int,
        frames_per_s: float | None = None,
        audio: bool = False,
        sample_per_s: float | None = None,
    ) -> int | None:
        """Tokens of a film: its sampled frames, and its sound where there is some and the family hears it.

        A family that takes pictures and has no rule for films is given the frames as pictures: `films` is then "pictures".
        """
        picture, frames = self.picture(width, height), self.frames(seconds, frames_per_s, sample_per_s)
        heard = self.audio(seconds) if audio else None
        return None if picture is None or frames is None else frames * picture + (heard or 0)

    @property
    def films(self) -> str | None:
        """How it takes films: "film" by a rule of its own, "pictures" frame by frame, None not at all."""
        return None if self.pictures is None else "pictures"


def rule(model: Any) -> Rule | None:
    """The rule of a family: its `model_type`, or a model (ModelSpec) that has one; None when it takes text only or nobody wrote it down."""
    name = model if isinstance(model, str) else model.model_type
    return next((_rule(at) for at, row in enumerate(_rows()) if name in row["model_types"]), None)


def families() -> tuple[Rule, ...]:
    """Every family's rule, in the order of the table."""
    return tuple(_rule(at) for at in range(len(_rows())))


def _rows() -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = data_json("media_rules.json")["rules"]
    return rows


@functools.cache
def _rule(at: int) -> Rule:
    row, table = _rows()[at], data_json("media_rules.json")
    source = Source("published", row.get("source", table["source"]), row.get("date", table["date"]))
    return Rule(row["model_types"][0], source, _way(row.get("picture")), row.get("note", ""))


def _way(numbers: Mapping[str, Any] | None) -> Way | None:
    if numbers is None:
        return None
    return WAYS[numbers["way"]](**{name: value for name, value in numbers.items() if name != "way"})
