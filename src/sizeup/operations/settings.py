"""settings: what an engine can be told by `--set NAME=VALUE`, read off its own Settings."""

from __future__ import annotations

from typing import Any, NamedTuple, TypedDict

from sizeup.settable import Setting, settable

from .operation import Ask, Operation
from .parameter import Values
from .shared import ENGINE, accounted


class SettingJson(TypedDict):
    """One setting."""

    name: str
    value: str
    """N, SIZE, X, NAME, or the words it may be."""
    default: Any
    """Null where the engine or the machine decides."""
    does: str


class SettingsJson(TypedDict):
    """All of one engine."""

    engine: str
    settings: list[SettingJson]


class Listed(NamedTuple):
    """Settings with what each does."""

    engine: str
    found: list[tuple[Setting, str]]
    met: bool = True

    def to_json(self) -> SettingsJson:
        return {
            "engine": self.engine,
            "settings": [{"name": one.name, "value": one.shown, "default": one.default, "does": does} for one, does in self.found],
        }


def settings(ask: Ask, values: Values) -> Listed:
    """The settings of one engine, in its own order."""
    engine = accounted(values)
    return Listed(engine.name, [(one, ask.texts.named("setting", one.name)) for one in settable(engine.Settings).values()])


SETTINGS_OF = Operation("settings", (ENGINE,), settings)
