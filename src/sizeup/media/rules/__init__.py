"""How many tokens of a prompt each family of models makes of a picture, of sound and of a film: one row of media_rules.json a family.

Counted: the places in the prompt that the thing takes, with the marks that stand in it and around it. Not counted: the text of the
prompt, and time stamps between the frames of a film. The settings are those published with the family, but for limits that a
checkpoint on this machine states in a file beside its weights; a server that is told otherwise makes other numbers.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from sizeup.facts import Source, data_json

from .anyres import AnyRes, Slices
from .films import Clips, FrameByFrame, Frames
from .native import Budget, Native, Padded, Rows
from .settings import said, settings
from .sounds import Chunks, Convolved
from .tiles import Fixed, Large, Masked, Scaled, Shaped, Split

SAMPLED = Frames(((1.0, 1.0),), most=1 << 40)
"""One frame a second: what is taken of a film for a family that takes pictures but no films."""


What = Literal["picture", "audio", "film"]


class Pictures(Protocol):
    """Pixels -> tokens. Raises Refused for a picture that the family's own code refuses."""

    def tokens(self, width: int, height: int) -> int: ...


class Sounds(Protocol):
    """Seconds -> tokens."""

    def tokens(self, seconds: float) -> int: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """A family's rule. Each method gives whole tokens, or None where the family takes no such thing."""

    family: str
    """Hugging Face's `model_type`."""
    source: Source
    pictures: Pictures | None = None
    sounds: Sounds | None = None
    clips: Clips | FrameByFrame | None = None
    template: int = 0
    """Marks that the family's chat template, not its processor, puts around each; counted in what `picture`, `audio` and `film` say."""
    cross_tokens: int = 0
    """Keys and values a picture (or 30 s of sound) that layers of cross-attention keep beside the prompt."""
    notes: tuple[tuple[What, str], ...] = ()
    """What else there is to know of how it takes a thing, in a sentence each."""

    def picture(self, width: int, height: int) -> int | None:
        """Tokens of one picture of so many pixels. Raises Refused for one that the family's own code refuses."""
        return None if self.pictures is None else self.pictures.tokens(max(1, width), max(1, height)) + self.template

    def audio(self, seconds: float) -> int | None:
        """Tokens of so many seconds of sound."""
        return None if self.sounds is None else self.sounds.tokens(max(0.0, seconds)) + self.template

    def note(self, what: What) -> str:
        """What else there is to know of how it takes pictures, sound or films; "" for nothing."""
        return dict(self.notes).get(what, "")

    @property
    def films(self) -> Literal["film", "pictures"] | None:
        """How it takes films: by a rule of its own, frame by frame as pictures, or not at all."""
        if self.clips is not None:
            return "film"
        return None if self.pictures is None else "pictures"

    def frames(self, seconds: float, frames_per_s: float | None = None, sample_per_s: float | None = None) -> int | None:
        """Frames that are taken of a film: `sample_per_s` in place of the family's own pace; never more than it has."""
        if self.films is None:
            return None
        return (SAMPLED if self.clips is None else self.clips.frames).taken(max(0.0, seconds), frames_per_s, sample_per_s)

    def film(
        self,
        seconds: float,
        width: int,
        height: int,
        frames_per_s: float | None = None,
        audio: bool = False,
        sample_per_s: float | None = None,
    ) -> int | None:
        """Tokens of a film: of the frames that are taken, and of its sound where it has some and the family hears it."""
        frames = self.frames(seconds, frames_per_s, sample_per_s)
        if frames is None:
            return None
        if self.clips is None:
            seen = frames * (self.picture(width, height) or 0)
        else:
            seen = self.clips.tokens(frames, max(1, width), max(1, height)) + self.template
        return seen + ((self.audio(seconds) or 0) if audio else 0)


def rule(model: Any, engine: str = "transformers") -> Rule | None:
    """The rule of a family by its `model_type`, or of a model (ModelSpec): by its config, whose numbers go before the row's (as do
    those of the preprocessor_config.json beside its weights), or by llama.cpp's name for it when it was read from a GGUF (which says nothing of the projector file beside it).

    None when it takes text only, or nobody wrote it down. `engine` "llama.cpp" gives that engine's own limits where they are known to
    differ.
    """
    config: Mapping[str, Any] = {} if isinstance(model, str) else model.config
    if isinstance(model, str):
        name, column = model, "model_types"
    elif config:
        # The whole model's, not its language model's: Gemma 3 with pictures is gemma3, without them gemma3_text.
        name, column = str(config.get("model_type") or model.model_type), "model_types"
    else:
        name, column = model.architecture, "gguf"
    row = next((row for row in _rows() if name in row.get(column, ())), None)
    path = None if isinstance(model, str) else model.path
    return None if row is None else _rule(row, config, engine, settings(path))


@functools.cache
def families() -> tuple[Rule, ...]:
    """Every family's rule as published, in the order of the table."""
    return tuple(_rule(row, {}, "transformers", {}) for row in _rows())


def _rows() -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = data_json("media_rules.json")["rules"]
    return rows


def _rule(row: Mapping[str, Any], config: Mapping[str, Any], engine: str, processor: Mapping[str, Any]) -> Rule:
    table = data_json("media_rules.json")
    own = row.get("engines", {}).get(engine, {})
    picture = own.get("picture", row.get("picture"))
    # An engine with limits of its own does not look at the processor's.
    stated = [(row.get("config", {}), config)] + ([] if "picture" in own else [(row.get("settings", {}), processor)])
    for places, content in stated if picture else ():
        picture = {**picture, **{field: value for field, place in places.items() if (value := said(content, place)) is not None}}
    source = Source("published", own.get("source", row.get("source", table["source"])), own.get("date", row.get("date", table["date"])))
    return Rule(
        row["model_types"][0],
        source,
        _made(picture),
        _made(row.get("audio")),
        _made(row.get("film")),
        row.get("template", 0),
        row.get("cross_tokens", 0),
        tuple(row.get("notes", {}).items()),
    )


_WAYS = {
    way.__name__: way
    for way in (
        *(AnyRes, Budget, Chunks, Clips, Convolved, Fixed, FrameByFrame, Frames, Large),
        *(Masked, Native, Padded, Rows, Scaled, Shaped, Slices, Split),
    )
}
"""The formulas by the names that rows call them."""


def _made(value: Any) -> Any:
    """What a row says, as formulas: an object that names its `way` is one with its numbers, lists are tuples."""
    if isinstance(value, list):
        return tuple(_made(part) for part in value)
    if isinstance(value, dict):
        return _WAYS[value["way"]](**{name: _made(part) for name, part in value.items() if name != "way"})
    return value
