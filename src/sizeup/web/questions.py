"""A query string as what an operation is asked: its parameters by name, and the manner of the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple
from urllib.parse import parse_qsl

from sizeup.errors import UserError
from sizeup.i18n import LANGUAGES, Texts, language, texts
from sizeup.operations.kinds import choice
from sizeup.operations.operation import Operation
from sizeup.operations.parameter import Parameter, values

LANG = Parameter("lang", choice(*LANGUAGES), key="rest_lang")
UNITS = Parameter("units", choice("iec", "si"), "iec")
WHY = Parameter("why")
MOST_FIELDS = 100


class Question(NamedTuple):
    """What was asked, checked."""

    values: dict[str, object]
    units: str
    why: str | None


def parameters(operation: Operation) -> tuple[Parameter, ...]:
    """Everything that the query of an operation may say. A thing that has a place on the command line has its name here."""
    manner = (LANG, UNITS, WHY) if operation.explained else (LANG, UNITS)
    return (*(replace(one, shown=one.name) if one.argument else one for one in operation.parameters), *manner)


def given(query: bytes) -> dict[str, list[str]]:
    """The fields of a query string, each with all its values. Raises UserError for what is none."""
    try:
        fields = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise UserError("The question is not a query string of UTF-8.", "/api/fit?model=qwen3:8b") from None
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return found


def question(operation: Operation, fields: dict[str, list[str]]) -> Question:
    """What the fields ask of an operation. Raises UserError."""
    asked = values(parameters(operation), fields)
    asked.pop("lang")
    return Question(asked, asked.pop("units"), asked.pop("why", None) or None)


def spoken(fields: dict[str, list[str]], accepted: str) -> Texts:
    """The language of the answer: the one asked for where it exists, else the first that the client accepts and we speak, else English."""
    for name in (*fields.get("lang", ())[:1], *_accepted(accepted)):
        try:
            return texts(language(name))
        except UserError:
            continue
    return texts("en")


def _accepted(header: str) -> list[str]:
    """Languages of an Accept-Language header, the preferred first."""
    found: list[tuple[float, str]] = []
    for piece in header[:500].split(","):
        name, _, weight = piece.strip().partition(";q=")
        try:
            found.append((-float(weight or 1), name))
        except ValueError:
            continue
    return [name for _, name in sorted(found, key=lambda pair: pair[0]) if name and name != "*"]
