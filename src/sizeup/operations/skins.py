"""What every skin over a wire needs: the parameters that say how an answer is wanted, and JSON Schema of any parameter."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sizeup.i18n import LANGUAGES, texts

from .kinds import choice
from .operation import Operation
from .parameter import MOST_VALUES, Parameter, values

LANG = Parameter("lang", choice(*LANGUAGES), key="rest_lang")
UNITS = Parameter("units", choice("iec", "si"), "iec")
WHY = Parameter("why")


class Question(NamedTuple):
    """What was asked, checked."""

    values: dict[str, object]
    units: str
    why: str | None


def parameters(operation: Operation) -> tuple[Parameter, ...]:
    """Everything that may be asked of an operation. What has a place on the command line has its name here."""
    manner = (LANG, UNITS, WHY) if operation.explained else (LANG, UNITS)
    return (*(replace(one, shown=one.name) if one.argument else one for one in operation.parameters), *manner)


def question(operation: Operation, fields: Mapping[str, Sequence[str]]) -> Question:
    """What the fields ask of an operation. Raises UserError."""
    asked = values(parameters(operation), fields)
    asked.pop("lang")
    return Question(asked, asked.pop("units"), asked.pop("why", None) or None)


def schema(one: Parameter) -> dict[str, Any]:
    """JSON Schema of a parameter's value, for queries and for tools."""
    found = dict(one.kind.schema)
    for key, bound in (("minimum", one.least), ("maximum", one.most)):
        if bound is not None:
            found[key] = bound
    if found.get("type") == "string" and "enum" not in found:
        found["maxLength"] = one.kind.longest
    if isinstance(one.default, str | int | float):
        found["default"] = one.default
    return {"type": "array", "items": found, "maxItems": MOST_VALUES} if one.many else found


def input_schema(operation: Operation) -> dict[str, Any]:
    """What may be asked as one JSON object, as JSON Schema."""
    t = texts("en")
    every = parameters(operation)
    return {
        "type": "object",
        "properties": {one.name: {**schema(one), "description": t(one.text_key)} for one in every},
        "required": [one.name for one in every if one.required],
        "additionalProperties": False,
    }


def fields(arguments: Mapping[str, Any]) -> dict[str, list[str]]:
    """Such an object as the texts that parameters are read from."""
    return {
        name: [_text(one) for one in (value if isinstance(value, list) else [value])]
        for name, value in arguments.items()
        if value is not None
    }


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else json.dumps(value)
