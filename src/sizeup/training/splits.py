"""A split as people type it: `data=8 zero=3 offload=cpu`."""

from __future__ import annotations

import dataclasses
from typing import Any

from sizeup.errors import UserError, close_names

from .parallel import Split


def parse_split(words: tuple[str, ...]) -> Split:
    """The split of words like `tensor=4`; several may stand in one, with commas. Raises UserError."""
    kinds = {field.name: field.default for field in dataclasses.fields(Split)}
    values: dict[str, Any] = {}
    for word in (piece for given in words for piece in given.split(",")):
        name, _, value = word.partition("=")
        if name not in kinds:
            near = close_names(name, kinds, 1, 0.4)
            raise UserError(f"“{name}” is no way to split a step.", near[0] if near else ", ".join(kinds))
        if name == "offload":
            values[name] = value
        elif name == "sequence":
            values[name] = value not in ("0", "no", "off")
        elif not value.isdigit():
            raise UserError(f"“{value}” is not a number of devices.", f"{name}=2")
        else:
            values[name] = int(value)
    return Split(**values)
