"""The server's routes: one for each operation of the table, the page's files, folders that were named at start."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from sizeup.operations import operations
from sizeup.operations.operation import Operation

from .answers import Computer, endpoint
from .failures import failure
from .folders import Folder
from .guard import App, Guard
from .posted import endpoint as posted
from .serving import Serving
from .static import Files
from .uploads import endpoint as header
from .world import ServedWorld


def app(serving: Serving | None = None, world: ServedWorld | None = None) -> App:
    """The whole server as an ASGI application."""
    serving = serving or Serving()
    world = world or ServedWorld(serving.allow_files, serving.loopback)
    folders = [("/engines/", serving.engines), ("/files/", serving.models)]
    computer = Computer(serving)
    # Nobody's first question waits for this machine.
    computer.threads.submit(world.here)

    @contextlib.asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        computer.close()

    routes = [
        *(Route(f"/api/{one.name}", _route(one, world, computer), methods=[_method(one)]) for one in operations()),
        Route("/api/openapi.json", described, methods=["GET"]),
        Route("/api/header", header(world.shelf, computer), methods=["POST"]),
        *(Route(f"{at}{{path:path}}", Folder(root, at).answer, methods=["GET"]) for at, root in folders if root is not None),
        Route("/api/{rest:path}", unknown, methods=["GET", "POST"]),
        Route("/{path:path}", Files().answer, methods=["GET"]),
    ]
    return Guard(Starlette(routes=routes, lifespan=lifespan), serving)


def _method(operation: Operation) -> str:
    return "POST" if operation.posted else "GET"


def _route(operation: Operation, world: ServedWorld, computer: Computer) -> Callable[[Any], Any]:
    return (posted if operation.posted else endpoint)(operation, world, computer)


async def described(request: Any) -> Any:
    """REST itself."""
    from .openapi import document

    return Response(msgspec.json.encode(document()), 200, {"cache-control": "no-cache"}, "application/json")


async def unknown(request: Any) -> Any:
    """No operation is called so."""
    from sizeup.errors import close_names
    from sizeup.operations import NAMES, found

    name = request.scope["path"].removeprefix("/api/")[:80]
    if name in NAMES:
        if found(name).posted:
            return failure(405, f"The operation {name} is asked for with POST.", f"POST /api/{name}", "NotAllowed")
        return failure(405, f"The operation {name} is asked for with GET.", f"GET /api/{name}?…", "NotAllowed")
    near = close_names(name, NAMES, 2, 0.5)
    return failure(404, f"There is no operation {name}.", ", ".join(f"/api/{one}" for one in near or NAMES), "NotFound")
