"""Errors as answers: one sentence and a way out, in the language asked for, with the status that fits."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from sizeup.errors import EngineFailed, NotAllowed, NotFound, SizeupError, Unavailable, Unreadable
from sizeup.i18n import Texts, texts

STATUS: tuple[tuple[type[SizeupError], int], ...] = (
    (NotFound, 404),
    (Unreadable, 404),
    (NotAllowed, 403),
    (Unavailable, 503),
    (EngineFailed, 503),
)
"""Errors that are no mistake of the one who asks -> their status; the others are 400."""


def status_of(error: SizeupError) -> int:
    """404 for what is not there or cannot be read, 403 for what this server does not do, 503 for what is missing here, else 400."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 400)


def failure(status: int, message: str, hint: str = "", kind: str = "UserError", t: Texts | None = None) -> Any:
    """An error as a response."""
    t = t or texts("en")
    content = {"error": {"kind": kind, "message": t.sentence(message), "try": t.sentence(hint)}}
    return Response(msgspec.json.encode(content), status, {"cache-control": "no-store"}, "application/json")


def failed(error: SizeupError, t: Texts, status: int | None = None) -> Any:
    """What an operation raised, as a response."""
    return failure(status or status_of(error), error.message, error.hint, type(error).__name__, t)
