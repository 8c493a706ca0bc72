"""An engine's own settings as people type them, NAME=VALUE, read off its Settings dataclass; there is no second list of them.

What a value may be is for the dataclass to check when it is made.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import typing
from collections.abc import Iterable
from typing import Any, NamedTuple

from .errors import UserError, close_names
from .units import parse_bytes, parse_count

HELP = "help"
"""In place of NAME=VALUE: the list of names."""
OWN_OPTION = "context_tokens"
"""Said by an option of its own (`--context`), since it may be meant for each of several users."""

Value = int | float | str | bool | tuple[int | float | str, ...]


class Setting(NamedTuple):
    """One setting that can be typed."""

    name: str
    types: tuple[type, ...]
    """What its value may be; of a tuple its members, which commas part."""
    many: bool
    default: Any
    choices: tuple[int | str, ...] = ()
    """The only values, where the engine says which they are."""
    words: tuple[str, ...] = ()
    """Words that it may be in place of a number."""

    @property
    def completions(self) -> tuple[str, ...]:
        """Values that a shell may offer."""
        return (*map(str, self.choices), *(("on", "off") if bool in self.types else ()), *self.words)

    @property
    def shown(self) -> str:
        """How help shows its value: N, SIZE, on|off, dynamic|static."""
        if self.choices:
            return "|".join(map(str, self.choices))
        words = {bool: "on|off", int: "SIZE" if self.name.endswith("_bytes") else "N", float: "X", str: "|".join(self.words) or "NAME"}
        one = "|".join(words[kind] for kind in self.types)
        return f"{one},{one}" if self.many else one

    def value(self, text: str) -> Value:
        """What a text means. Raises UserError for what is no value of this type; its range is checked by the engine's Settings."""
        if self.many:
            return tuple(self._one(piece.strip()) for piece in text.split(",") if piece.strip())
        return self._one(text.strip())

    def _one(self, text: str) -> int | float | str | bool:
        if bool in self.types and text.lower() in _SWITCH:
            return _SWITCH[text.lower()]
        number = text.lstrip("-")[:1].isdigit()
        if int in self.types and self.name.endswith("_bytes"):
            return parse_bytes(text)
        if int in self.types and (number or str not in self.types):
            try:
                return parse_count(text)
            except UserError:
                raise UserError(f"{self.name} = {text} is not a number.", f"{self.name}=64") from None
        if float in self.types:
            if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", text):
                raise UserError(f"{self.name} = {text} is not a number.", f"{self.name}=0.9")
            return float(text)
        if str in self.types:
            return text
        raise UserError(f"{self.name} = {text} is neither on nor off.", f"{self.name}=on or {self.name}=off")


_SWITCH = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}


@functools.cache
def settable(kind: type) -> dict[str, Setting]:
    """The fields of a Settings dataclass that a text can say, by name; models, cards and what has an option of its own are left out."""
    hints = typing.get_type_hints(kind)
    found: dict[str, Setting] = {}
    for field in dataclasses.fields(kind):
        whole = [one for one in typing.get_args(hints[field.name]) or (hints[field.name],) if one is not type(None)]
        # `tuple[int, ...]` tells its member and an ellipsis; in `tuple[int, ...] | None` it is one of two.
        inner = whole[0] if len(whole) == 1 and typing.get_origin(whole[0]) is tuple else hints[field.name]
        many = typing.get_origin(inner) is tuple
        types = (typing.get_args(inner)[0],) if many else tuple(whole)
        if field.name != OWN_OPTION and all(one in (bool, int, float, str) for one in types):
            found[field.name] = Setting(
                field.name, types, many, field.default, tuple(field.metadata.get("choices", ())), tuple(field.metadata.get("words", ()))
            )
    return found


def one_of(*choices: int | str) -> Any:
    """A field of a Settings dataclass with the only values it may have, the default first."""
    return dataclasses.field(default=choices[0], metadata={"choices": choices})


def or_word(default: Any, *words: str) -> Any:
    """A field of a Settings dataclass that may also be one of a few words."""
    return dataclasses.field(default=default, metadata={"words": words})


def typed(engine: str, kind: type, given: Iterable[tuple[str, str]]) -> dict[str, Value]:
    """Settings by name from names and texts. Raises UserError for a name that the engine does not have, or one said twice."""
    known = settable(kind)
    found: dict[str, Value] = {}
    for name, text in given:
        name = name.replace("-", "_")
        if name == OWN_OPTION:
            raise UserError(f"{name} has an option of its own.", "--context")
        if name not in known:
            raise unknown(engine, name, known)
        if name in found:
            raise UserError(f"{name} is given twice.", f"{name} once")
        found[name] = known[name].value(text)
    return found


def unknown(engine: str, name: str, known: Iterable[str]) -> UserError:
    """The error about a setting that an engine does not have, with the nearest that it has, else all."""
    names = list(known)
    return UserError(f"{engine} has no setting “{name[:80]}”.", ", ".join(close_names(name, names, 1) or names))
