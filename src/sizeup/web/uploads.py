"""POST /api/header: the start of a GGUF file as the body; what was read of it, or how much more of it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sizeup.api import model_json
from sizeup.errors import SizeupError, Unreadable, UserError
from sizeup.operations.kinds import SIZE
from sizeup.operations.parameter import Parameter, values
from sizeup.operations.skins import LANG

from .answers import Computer
from .failures import failed, failure
from .headers import Needs, Shelf, read_start
from .limits import LARGEST_BODY
from .questions import given, spoken

PARAMETERS = (Parameter("name", default="a model", key="header_name"), Parameter("bytes", SIZE, key="header_bytes", least=1), LANG)
LONGEST_NAME = 200
BODY_S = 60.0
"""Seconds that a body may take to arrive."""


class TooLarge(Exception):
    """More was sent than is taken."""


def endpoint(shelf: Shelf, computer: Computer) -> Callable[[Any], Any]:
    """The route."""

    async def header(request: Any) -> Any:
        fields: dict[str, list[str]] = {}
        accepted = request.headers.get("accept-language", "")
        try:
            fields = given(request.scope["query_string"])
            t = spoken(fields, accepted)
            asked = values(PARAMETERS, fields)
            if len(asked["name"]) > LONGEST_NAME:
                raise UserError(f"The value of name has {len(asked['name']):,} characters.", f"at most {LONGEST_NAME}")
            data = await asyncio.wait_for(body(request, LARGEST_BODY), BODY_S)
        except SizeupError as error:
            return failed(error, spoken(fields, accepted))
        except TooLarge:
            return failure(413, "The start of the file is too long.", f"at most {LARGEST_BODY:,}", t=t)
        except TimeoutError:
            return failure(408, "The start of the file took too long to arrive.", "again in a moment", t=t)
        # What was sent is at fault here, not something that is missing.
        return await computer(t, lambda: found(shelf, data, asked["name"], asked["bytes"]), {Unreadable: 400})

    return header


async def body(request: Any, most: int) -> bytes:
    """The whole body. Raises TooLarge as soon as it is longer."""
    pieces, length = [], 0
    async for piece in request.stream():
        length += len(piece)
        if length > most:
            raise TooLarge
        pieces.append(piece)
    return b"".join(pieces)


def found(shelf: Shelf, data: bytes, name: str, size: int | None) -> dict[str, Any]:
    """What was read, kept for later questions; or the bytes that are needed."""
    read = read_start(data, name, size)
    if isinstance(read, Needs):
        return {"needs_bytes": read.bytes}
    kept, spec = read
    shelf.keep(kept, spec)
    return {"model": kept, **model_json(spec)}
