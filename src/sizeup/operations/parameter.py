"""One row of an operation's table: what may be asked, by one name on the command line (`--kv-type`), in REST and in tools (`kv_type`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sizeup.errors import UserError, close_names

from .kinds import TEXT, Kind

MOST_VALUES = 16
"""Values of one parameter that may be given several times."""

LARGEST = 10**18
"""No size, count or rate that anybody means is larger; columns of 64-bit integers hold it."""

Values = Mapping[str, Any]
"""Every parameter of an operation by its name, those that were not given with their defaults."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that may be asked; its words are the text `option.KEY`."""

    name: str
    kind: Kind = TEXT
    default: Any = None
    key: str = ""
    """Of its text; the name unless several operations mean different things by it."""
    shown: str = ""
    """How help shows its value: TOKENS, N|all."""
    least: int | None = None
    most: int | None = None
    many: bool = False
    """May be given several times; its value is a tuple."""
    argument: bool = False
    """Stands on the command line without its name."""
    required: bool = False
    typed_too: bool = True
    """Whether the command line has it; it needs no option for what it always does."""

    @property
    def typed(self) -> str:
        """As it stands on the command line."""
        return self.shown if self.argument else "--" + self.name.replace("_", "-")

    @property
    def text_key(self) -> str:
        return f"option.{self.key or self.name}"

    def bounded(self, value: Any) -> Any:
        """The value itself. Raises UserError when it is beyond what the operation takes."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            example = next(iter(self.kind.schema.get("examples", ())), None)
            if self.least is not None and value < self.least:
                # A size of one byte helps nobody; a kind that is written with a unit shows how.
                usual = self.default or (example if isinstance(example, str) else self.least)
                raise UserError(f"{self.typed} = {value:,} is below {self.least}.", f"{self.typed} {usual}")
            if value > (LARGEST if self.most is None else self.most):
                usual = self.default or self.most or example or 1
                raise UserError(f"{self.typed} = {value:,} is above {self.most or LARGEST:,}.", f"{self.typed} {usual}")
        return value

    def parsed(self, texts: Sequence[str]) -> Any:
        """The value of what was given, once or several times. Raises UserError."""
        if not self.many and len(texts) > 1:
            raise UserError(f"{self.name} is given {len(texts)} times.", f"{self.name} once")
        if len(texts) > MOST_VALUES:
            raise UserError(f"{self.name} is given {len(texts)} times.", f"up to {MOST_VALUES} of them")
        for text in texts:
            if len(text) > self.kind.longest:
                raise UserError(f"The value of {self.name} has {len(text):,} characters.", f"at most {self.kind.longest}")
        found = tuple(self.bounded(self.kind.parse(text)) for text in texts)
        return found if self.many else found[0]


def values(parameters: Sequence[Parameter], given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What was asked, checked, from texts by name. Raises UserError for an unknown, repeated, missing or wrong one."""
    known = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            near = close_names(name, known, 2)
            raise UserError(f"There is no parameter {name[:80]}.", ", ".join(near or known))
    found: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.name in given:
            found[parameter.name] = parameter.parsed(given[parameter.name])
        elif parameter.required:
            raise UserError(f"{parameter.name} is missing.", f"{parameter.name}=…")
        else:
            found[parameter.name] = () if parameter.many else parameter.default
    return found
