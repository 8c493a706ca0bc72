"""An operation as a route: its query checked, computed in a thread, answered as JSON."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from starlette.responses import Response

from sizeup.errors import NotAllowed, SizeupError, Unreadable
from sizeup.i18n import Texts
from sizeup.operations.operation import Ask, Operation
from sizeup.operations.skins import question
from sizeup.operations.world import World

from .failures import failed, failure
from .questions import given, spoken
from .serving import Serving

NOTHING: Mapping[type[SizeupError], int] = {}
log = logging.getLogger("sizeup.web")


class Computer:
    """Computes answers in a few threads, with a bound on how many wait and how long one may take.

    A thread cannot be stopped: what is given up goes on to its end and keeps its thread until then.
    """

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.threads = ThreadPoolExecutor(serving.threads, "answer")
        self.waiting = 0

    async def __call__(
        self, t: Texts, compute: Callable[[], Any], statuses: Mapping[type[SizeupError], int] = NOTHING, runs: bool = False
    ) -> Any:
        """The response to what `compute` returns (an object for JSON) or raises; `statuses` are of errors that mean something else here."""
        if self.waiting >= self.serving.waiting:
            return failure(503, "This server is answering as many questions as it can.", "again in a moment", "Busy", t)
        self.waiting += 1
        seconds = self.serving.run_seconds if runs else self.serving.seconds
        work = asyncio.get_running_loop().run_in_executor(self.threads, _body, compute)
        work.add_done_callback(self._done)
        try:
            body = await asyncio.wait_for(asyncio.shield(work), seconds)
        except TimeoutError:
            return failure(504, f"The answer takes longer than {seconds:g} s.", "a smaller question", "TooSlow", t)
        except SizeupError as error:
            return failed(error, t, statuses.get(type(error)))
        except Exception as error:
            log.exception("a bug, or something out of reach")
            return failure(500, f"sizeup has a bug: {type(error).__name__}.", "", "Bug", t)
        return Response(body, 200, {"cache-control": "no-store"}, "application/json")

    def _done(self, work: asyncio.Future[bytes]) -> None:
        self.waiting -= 1
        # Nobody waits for what was given up; what it raised is looked at, so that nothing complains of it.
        if not work.cancelled():
            work.exception()

    def close(self) -> None:
        self.threads.shutdown(wait=False, cancel_futures=True)


def _body(compute: Callable[[], Any]) -> bytes:
    return msgspec.json.encode(compute())


def endpoint(operation: Operation, world: World, computer: Computer) -> Callable[[Any], Any]:
    """The route of an operation."""

    async def answer(request: Any) -> Any:
        fields: dict[str, list[str]] = {}
        accepted = request.headers.get("accept-language", "")
        try:
            fields = given(request.scope["query_string"])
        except SizeupError as error:
            return failed(error, spoken(fields, accepted))
        return await answered(operation, world, computer, fields, spoken(fields, accepted))

    return answer


async def answered(operation: Operation, world: World, computer: Computer, fields: Mapping[str, Sequence[str]], t: Texts) -> Any:
    """The response to these fields."""
    try:
        asked = question(operation, fields)
        if operation.runs and not computer.serving.allow_run:
            raise NotAllowed(f"{operation.name} starts an engine, and this server was not started for that.", "sizeup serve --allow-run")
    except SizeupError as error:
        return failed(error, t)
    seconds = computer.serving.run_seconds if operation.runs else computer.serving.seconds
    ask = Ask(world, t, asked.units, asked.why, until=time.monotonic() + seconds)
    # A document that cannot be read was sent, and is not missing here.
    statuses: Mapping[type[SizeupError], int] = {Unreadable: 400} if operation.posted else NOTHING
    return await computer(t, lambda: operation.answer(ask, asked.values).to_json(), statuses, operation.runs)
