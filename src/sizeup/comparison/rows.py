"""A comparison: things side by side, one row for each property, and which rows differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

from ..facts import Source
from ..shape import as_json

Unit = Literal[
    "bytes",
    "bytes_per_s",
    "count",
    "date",
    "flops_per_s",
    "parameters",
    "s",
    "share",
    "text",
    "tokens",
    "tokens_per_s",
    "towers",
    "usd_per_h",
    "verdict",
    "watts",
]
Better = Literal["more", "less", ""]


@dataclass(frozen=True, slots=True)
class Value:
    """One thing's value of one property; `value` None is unknown."""

    value: Any
    lower: float | None = None
    upper: float | None = None
    source: Source | None = None
    """Where it is from; None where that is plain (counted from the layers, accounted, predicted)."""
    none: str = ""
    """Message key `compare.KEY` that says why there is no value, where "unknown" would be wrong."""


UNKNOWN = Value(None)


@dataclass(frozen=True, slots=True)
class Row:
    """One property of everything compared."""

    key: str
    """Message key `compare.KEY`; a part of a breakdown is `part.KEY`."""
    unit: Unit
    values: tuple[Value, ...]
    better: Better = ""
    """Which way is better for whoever runs it; "" where neither is."""

    @property
    def differs(self) -> bool:
        """Whether two known values are not the same, or one is known and another is not."""
        return len({repr((value.value, value.none)) for value in self.values}) > 1

    @property
    def best(self) -> tuple[int, ...]:
        """The places of the best known value; () where all are the same or neither way is better. Intervals that meet are no difference."""
        known = [(index, value) for index, value in enumerate(self.values) if value.value is not None]
        if not self.better or not self.differs or len(known) < 2:
            return ()
        pick: Callable[..., Any] = max if self.better == "more" else min
        top = pick(value.value for _, value in known)
        best = next(value for _, value in known if value.value == top)
        found = tuple(index for index, value in known if value.value == top or _meet(value, best))
        return found if len(found) < len(known) else ()


def _meet(one: Value, other: Value) -> bool:
    if one.lower is None or one.upper is None or other.lower is None or other.upper is None:
        return False
    return one.lower <= other.upper and other.lower <= one.upper


class ValueJson(TypedDict):
    """A value for programs; null is unknown."""

    value: Any
    none: NotRequired[str]
    lower: NotRequired[float | None]
    upper: NotRequired[float | None]
    source: NotRequired[Source]


class RowJson(TypedDict):
    """A row for programs."""

    key: str
    unit: Unit
    differs: bool
    best: list[int]
    values: list[ValueJson]


class ComparisonJson(TypedDict):
    """Things side by side for programs."""

    kind: Literal["models", "machines", "plans"]
    names: list[str]
    on: str | None
    rows: list[RowJson]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several things of one kind side by side."""

    kind: Literal["models", "machines", "plans"]
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    things: tuple[Any, ...]
    """ModelSpecs, Machines or Plans, in the order of the names."""
    on: str = ""
    """The machine that models were tried on."""

    def to_json(self) -> ComparisonJson:
        """One object for each row; intervals and sources where there are any, null where nobody knows."""
        return {"kind": self.kind, "names": list(self.names), "on": self.on or None, "rows": [_row_json(row) for row in self.rows]}


def _row_json(row: Row) -> RowJson:
    return {
        "key": row.key,
        "unit": row.unit,
        "differs": row.differs,
        "best": list(row.best),
        "values": [_value_json(value) for value in row.values],
    }


def _value_json(value: Value) -> ValueJson:
    content: ValueJson = {"value": value.value}
    if value.none:
        content["none"] = value.none
    if value.lower is not None:
        content |= {"lower": value.lower, "upper": value.upper}
    if value.source:
        content["source"] = as_json(value.source)
    return content


def rows(things: Sequence[Any], properties: Sequence[tuple[str, Unit, Better, Callable[[Any], Value]]]) -> tuple[Row, ...]:
    """A row for each property that at least one of the things has."""
    made = (Row(key, unit, tuple(ask(thing) for thing in things), better) for key, unit, better, ask in properties)
    return tuple(row for row in made if any(value.value is not None for value in row.values))
