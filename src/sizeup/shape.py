"""Answers as JSON keep the types of what they are made from, so that schemas are read off the types and cannot drift."""

from __future__ import annotations

import dataclasses
from typing import TypeVar, cast

T = TypeVar("T")


def as_json(thing: T) -> T:
    """The fields of a dataclass as JSON has them. Typed as the dataclass itself: its schema is the schema of these fields."""
    return cast(T, dataclasses.asdict(thing))  # type: ignore[call-overload]
