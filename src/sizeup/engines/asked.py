"""Checks of settings that several engines take: counts, and one of a few words."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from ..errors import UserError, close_names
from ..figure import is_column, plain
from ..model import ModelSpec
from ..settable import settable

TOKENS_LIMIT = (1 << 31) - 1
"""More than any engine here can hold."""


def check_count(name: str, value: Any, least: int, most: int = TOKENS_LIMIT) -> None:
    """Raises UserError unless it is a whole number between the two; a column is checked where it is made."""
    if is_column(value):
        return
    number, example = plain(value), max(least, 1)
    if isinstance(number, bool) or not isinstance(number, int):
        raise UserError(f"{name} = {value!r} is not a whole number.", f"{name}={example}")
    if not least <= number <= most:
        raise UserError(f"{name} = {number:,} is outside of {least:,} to {most:,}.", f"{name}={example}")


def check_choices(settings: object) -> None:
    """Raises UserError unless each field that is one of a few values (`settable.one_of`) has one of them."""
    kind: Any = type(settings)
    for one in settable(kind).values():
        value = getattr(settings, one.name)
        if one.choices and value not in one.choices:
            known = list(map(str, one.choices))
            near = close_names(str(value).lower(), known, 1, 0.4)
            raise UserError(f"{one.name} = “{value}” is not one of {', '.join(known)}.", ", ".join(near or known))


def family(model: ModelSpec, known: Container[str]) -> str:
    """The model type by which an engine knows it: the whole model's where there is a class for that, else the text part's."""
    outer = model.config.get("model_type")
    return outer if isinstance(outer, str) and outer in known else model.model_type
