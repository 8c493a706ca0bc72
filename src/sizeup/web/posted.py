"""An operation whose question holds documents as a route: a JSON object as the body, with the same fields as a query would have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from sizeup.errors import SizeupError, UserError
from sizeup.operations.operation import Operation
from sizeup.operations.skins import fields
from sizeup.operations.world import World

from .answers import Computer, answered
from .failures import failed, failure
from .limits import LARGEST_QUESTION
from .questions import MOST_FIELDS, given, spoken
from .uploads import BODY_S, TooLarge, body


def endpoint(operation: Operation, world: World, computer: Computer) -> Callable[[Any], Any]:
    """The route. What the query says counts too: the language, before the body is read."""

    async def answer(request: Any) -> Any:
        asked: dict[str, list[str]] = {}
        accepted = request.headers.get("accept-language", "")
        try:
            asked = given(request.scope["query_string"])
            content = object_of(await asyncio.wait_for(body(request, LARGEST_QUESTION), BODY_S))
            asked = {**asked, **fields(content)}
        except SizeupError as error:
            return failed(error, spoken(asked, accepted))
        except TooLarge:
            return failure(413, "The question is too long.", f"at most {LARGEST_QUESTION:,}", t=spoken(asked, accepted))
        except TimeoutError:
            return failure(408, "The question took too long to arrive.", "again in a moment", t=spoken(asked, accepted))
        return await answered(operation, world, computer, asked, spoken(asked, accepted))

    return answer


def object_of(data: bytes) -> dict[str, Any]:
    """The fields of a body. Raises UserError for what is no JSON object."""
    try:
        content = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or len(content) > MOST_FIELDS:
        raise UserError("The question is no JSON object.", '{"model": "qwen3:8b", "users": 20, "on": ["4x h100-sxm"]}')
    return content
