"""A query string as fields by name, and the language of the answer."""

from __future__ import annotations

from urllib.parse import parse_qsl

from sizeup.errors import UserError
from sizeup.i18n import Texts, language, texts

MOST_FIELDS = 100


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
