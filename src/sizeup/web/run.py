"""Starting the server: a socket that is really free, what is said on the terminal, and uvicorn."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import signal
import socket
import sys

from sizeup.errors import Unavailable

from .serving import Serving

TRIED_PORTS = 50
MOST_CONNECTIONS = 500
"""Open at the same time, in each process; further ones are told to come back."""


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
    """Answer until interrupted, in as many processes as were asked for."""
    if serving.workers == 1:
        one(serving, listening)
        return
    # A signal to the parent must reach its children.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    spawning = multiprocessing.get_context("spawn")
    # Daemons end with the parent, however it ends.
    children = [spawning.Process(target=one, args=(serving, listening), daemon=True) for _ in range(serving.workers)]
    for child in children:
        child.start()
    try:
        multiprocessing.connection.wait([child.sentinel for child in children])
    finally:
        for child in children:
            child.terminate()


def one(serving: Serving, listening: socket.socket) -> None:
    """Answer until interrupted, in this process."""
    import uvicorn

    from .app import app

    # The loop that takes questions must not wait five milliseconds for the thread that answers one.
    sys.setswitchinterval(0.0005)
    config = uvicorn.Config(
        app(serving),
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="on",
        timeout_keep_alive=15,
        limit_concurrency=MOST_CONNECTIONS,
        backlog=1024,
    )
    uvicorn.Server(config).run(sockets=[listening])
