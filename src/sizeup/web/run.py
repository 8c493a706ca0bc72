"""Starting the server: a socket that is really free, what is said on the terminal, and uvicorn."""

from __future__ import annotations

import socket

from sizeup.errors import Unavailable
from sizeup.hardware import Machine

from .serving import Serving

TRIED_PORTS = 50


def bound(host: str, port: int, exactly: bool) -> socket.socket:
    """A listening socket at this port, or at the next free one where the port was not named. Raises Unavailable."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in range(port, port + (1 if exactly or not port else TRIED_PORTS)):
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, number))
            found.listen(1024)
        except (OSError, OverflowError) as error:
            found.close()
            reason = getattr(error, "strerror", None) or str(error)
            continue
        found.set_inheritable(True)
        return found
    raise Unavailable(f"{host}:{port} cannot be listened at: {reason}.", "another --port, or --port 0 for any")


def serve(serving: Serving, listening: socket.socket) -> None:
    """Answer until interrupted."""
    import uvicorn

    from .app import app

    config = uvicorn.Config(
        app(serving), log_level="warning", access_log=False, server_header=False, date_header=False, lifespan="on", timeout_keep_alive=15
    )
    uvicorn.Server(config).run(sockets=[listening])


def first_look() -> Machine:
    """This machine, so that the first question does not wait for it."""
    from sizeup.probe import machine

    return machine()
